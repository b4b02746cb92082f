#!/usr/bin/env node
// What the published package promises: packed here, installed in an empty folder, it runs `bench --quick` and `start` there.
//   node test/acceptance/pack.mjs [--tarball FILE] [--keep] [--only name,name]
// Takes about five minutes, most of it the installation; not part of `npm test`.
import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: { tarball: { type: 'string' }, only: { type: 'string' }, keep: { type: 'boolean', default: false } },
});
const repository = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'segbench-pack-'));
const empty = path.join(folder, 'empty');
// PostgreSQL does not run as root: from a folder that is shut to its account its files go elsewhere, and would stay
chmodSync(folder, 0o755);
mkdirSync(empty);
const only = options.only?.split(',');
// its script would ask NuGet for CUDA; the CPU's library comes with the package
const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
/** PATH without this repository's own programs: a user has none of them. */
env.PATH = env.PATH.split(path.delimiter)
  .filter((dir) => !dir.startsWith(repository))
  .join(path.delimiter);
let failed = 0;

function expect(condition, message) {
  if (!condition) throw new Error(message);
}
function run(command, args, cwd, seconds) {
  const result = spawnSync(command, args, { cwd, env, encoding: 'utf8', timeout: seconds * 1000, maxBuffer: 2 ** 26 });
  const tail = `${result.stdout}\n${result.stderr}`.split('\n').slice(-15).join('\n');
  return { code: result.status, stdout: result.stdout, tail };
}
async function step(name, work) {
  if (only && !only.includes(name)) return;
  const started = Date.now();
  const outcome = await Promise.resolve()
    .then(work)
    .then(
      (detail) => ['passed', detail],
      (error) => ['failed', error.message],
    );
  if (outcome[0] === 'failed') failed++;
  console.log(`${outcome[0].padEnd(7)} ${name} (${((Date.now() - started) / 1000).toFixed(0)} s) ${outcome[1] ?? ''}`);
}
/** Processes that run something of the empty folder: servers and roles are started with paths of it. */
function running() {
  if (!existsSync('/proc')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return command.includes(empty) ? [`${pid} ${command.slice(0, 120)}`] : [];
      } catch {
        // it has ended meanwhile
        return [];
      }
    });
}
const installed = (name) => path.join(empty, 'node_modules', name);
let tarball = options.tarball && path.resolve(options.tarball);

await step('pack', () => {
  if (tarball) return `given: ${tarball}`;
  const { code, stdout, tail } = run('npm', ['pack', '--json', '--pack-destination', folder], repository, 600);
  expect(code === 0, `npm pack exited ${code}:\n${tail}`);
  const [packed] = JSON.parse(stdout.slice(stdout.indexOf('[')));
  tarball = path.join(folder, packed.filename);
  const names = packed.files.map((file) => file.path);
  for (const name of ['LICENSE', 'README.md', 'CHANGELOG.md', 'dist/sbom.cdx.json', 'dist/dashboards/dist/index.html'])
    expect(names.includes(name), `the package lacks ${name}`);
  const typed = names.filter((name) => name.endsWith('.ts') || name.includes('/test/'));
  expect(typed.length === 0, `the package has ${typed.slice(0, 3).join(', ')}`);
  return `${packed.filename}: ${names.length} files, ${(packed.size / 1e6).toFixed(1)} MB packed`;
});

await step('install', () => {
  expect(tarball && existsSync(tarball), 'there is no package to install');
  writeFileSync(path.join(empty, 'package.json'), '{"private": true}\n');
  const { code, tail } = run('npm', ['install', '--no-audit', '--no-fund', tarball], empty, 900);
  expect(code === 0, `npm install exited ${code}:\n${tail}`);
  const tools = ['vite', 'typescript', 'vitest', 'oxlint', 'prettier'].filter((name) => existsSync(installed(name)));
  expect(tools.length === 0, `development tools were installed: ${tools.join(', ')}`);
  const bill = JSON.parse(readFileSync(installed('segbench/dist/sbom.cdx.json'), 'utf8'));
  const listed = new Map(bill.components.map(({ purl }) => [decodeURIComponent(purl.replace(/@[^@]+$/, '')), purl]));
  const lock = JSON.parse(readFileSync(installed('.package-lock.json'), 'utf8'));
  const packages = Object.entries(lock.packages).flatMap(([where, { name = where.split('node_modules/').at(-1) }]) =>
    name === 'segbench' ? [] : [`pkg:npm/${name}`],
  );
  const lacking = packages.filter((name) => !listed.has(name));
  expect(packages.length > 200, `only ${packages.length} packages were installed`);
  expect(lacking.length === 0, `the bill of materials lacks ${lacking.join(', ')}`);
  return `${packages.length} packages, all in the bill of materials, which has ${bill.components.length}`;
});

await step('help', () => {
  const { code, stdout, tail } = run('npx', ['segbench', '--help'], empty, 60);
  expect(code === 0 && stdout.includes('usage: segbench <command>'), `exit ${code}: ${tail}`);
  const list = run('npx', ['segbench', 'bench', '--list'], empty, 60);
  expect(list.code === 0 && list.stdout.includes('bulk-1000'), `bench --list: exit ${list.code}: ${list.tail}`);
  const wrong = run('npx', ['segbench', 'check'], empty, 60);
  expect(wrong.code === 2 && wrong.tail.includes('allowed: bench, start'), `check: exit ${wrong.code}: ${wrong.tail}`);
});

await step('bench', () => {
  const { code, tail } = run('npx', ['segbench', 'bench', '--quick'], empty, 600);
  const result = JSON.parse(readFileSync(path.join(empty, 'bench-results/latest/result.json'), 'utf8'));
  const { delivery, tool, verdict } = result;
  expect([0, 5].includes(code), `exit ${code}:\n${tail}`);
  expect(delivery.completed === 100 && delivery.missing === 0 && delivery.duplicates === 0, JSON.stringify(delivery));
  const source = JSON.parse(readFileSync(installed('segbench/dist/package.json'), 'utf8'));
  expect(tool.commit === source.commit, `the result says commit ${tool.commit}, the package is of ${source.commit}`);
  return `exit ${code} (${verdict}), 100 of 100 delivered, commit ${tool.commit.slice(0, 12)}`;
});

await step('start', async () => {
  const child = spawn('npx', ['segbench', 'start', '--port', '0', '--workers', '1'], {
    cwd: empty,
    env,
    detached: true,
  });
  let stdout = '';
  let stderr = '';
  child.stderr.on('data', (chunk) => (stderr += chunk));
  const exited = new Promise((resolve) => child.on('exit', (code) => resolve(code)));
  const ready = new Promise((resolve) =>
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      const url = /^ready (\S+)$/m.exec(stdout)?.[1];
      if (url) resolve(url);
    }),
  );
  const limit = new Promise((resolve) => setTimeout(resolve, 180_000, null).unref());
  let url = null;
  try {
    url = await Promise.race([ready, limit, exited.then(() => null)]);
    expect(url !== null, `not ready:\n${stderr.split('\n').slice(-15).join('\n')}`);
    const key = /^key (\S+)/m.exec(stdout)?.[1];
    const page = await fetch(`${url}/`);
    expect(page.status === 200 && (await page.text()).includes('<script'), `the page answered ${page.status}`);
    const answer = await fetch(`${url}/api/projects`, { headers: { authorization: `Bearer ${key}` } });
    expect(answer.status === 200, `the list of projects answered ${answer.status}`);
    const runs = await (await fetch(`${url}/api/runs`, { headers: { authorization: `Bearer ${key}` } })).json();
    expect(only || runs.items?.length > 0, `the page of runs lacks the one before: ${JSON.stringify(runs)}`);
  } finally {
    if (child.pid) process.kill(-child.pid, 'SIGTERM');
  }
  // npx ends at once; what it started has 30 s, and leaves nothing that answers or runs
  const until = Date.now() + 35_000;
  const isUp = () =>
    fetch(`${url}/healthz`).then(
      () => true,
      () => false,
    );
  while ((await isUp()) || running().length > 0) {
    expect(Date.now() < until, `35 s after SIGTERM there is still: ${running().join(', ') || url}`);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  return 'ready, page and API answer, and nothing is left after SIGTERM';
});

if (options.keep) console.log(`kept: ${folder}`);
else rmSync(folder, { recursive: true, force: true });
process.exitCode = failed > 0 ? 1 : 0;
