#!/usr/bin/env node
// What the main job promises, shown on a fresh clone in an empty folder. Runs for 15-20 minutes, so it is not part of `npm test`:
//   node test/acceptance/fresh-clone.mjs [--images DIR] [--only name,name]
// DIR holds real images with labels beside it (README, "Real images"); without it those steps are reported as not run.
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: { images: { type: 'string' }, only: { type: 'string' }, keep: { type: 'boolean', default: false } },
});
const repository = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'segbench-acceptance-'));
const clone = path.join(folder, 'clone');
const only = options.only?.split(',');
const outcomes = [];

function npm(args, timeoutMs = 600_000) {
  return new Promise((resolve) => {
    const started = Date.now();
    const child = spawn('npm', args, { cwd: clone, stdio: ['ignore', 'pipe', 'inherit'] });
    let stdout = '';
    child.stdout.on('data', (chunk) => (stdout += chunk));
    const timer = setTimeout(() => child.kill('SIGTERM'), timeoutMs);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code, stdout, seconds: (Date.now() - started) / 1000 });
    });
  });
}
const latest = () => JSON.parse(readFileSync(path.join(clone, 'bench-results/latest/result.json'), 'utf8'));
const verdictOf = (result, name) => result.budgets.find((budget) => budget.name === name)?.verdict;
const expect = (condition, message) => {
  if (!condition) throw new Error(message);
};

async function step(name, run) {
  if (only && !only.includes(name)) return;
  const started = Date.now();
  try {
    const detail = await run();
    outcomes.push({ name, state: 'passed', detail });
  } catch (error) {
    outcomes.push({ name, state: 'failed', detail: error.message });
  }
  const last = outcomes.at(-1);
  console.log(`${last.state.padEnd(7)} ${name} (${((Date.now() - started) / 1000).toFixed(0)} s) ${last.detail ?? ''}`);
}

const needsImages = (name, run) =>
  options.images ? step(name, run) : outcomes.push({ name, state: 'not run', detail: 'needs --images DIR' });

execFileSync('git', ['clone', '--quiet', repository, clone]);

await step('install-twice', async () => {
  for (const attempt of [1, 2]) {
    const cache = path.join(folder, `npm-cache-${attempt}`);
    const { code } = await npm(['ci', '--cache', cache]);
    expect(code === 0, `npm ci number ${attempt} from an empty cache exited ${code}`);
    rmSync(cache, { recursive: true, force: true });
  }
  rmSync(path.join(clone, 'node_modules'), { recursive: true, force: true });
});

await step('bench', async () => {
  const install = await npm(['run', '-s', 'bench', '--', '--list']);
  expect(install.code === 0, `bench --list exited ${install.code}`);
  const { code, seconds } = await npm(['run', 'bench']);
  const result = latest();
  const red = result.budgets
    .filter((budget) => budget.verdict !== 'pass')
    .map((b) => `${b.name} ${b.verdict} ${b.actual}`);
  expect(code === 0, `exit ${code}, not pass: ${red.join(', ')}`);
  expect(red.length === 0, `not pass: ${red.join(', ')}`);
  const { delivery } = result;
  expect(
    delivery.terminalEventsReceived === 1000 && !delivery.missing && !delivery.duplicates && !delivery.sequenceGaps,
    JSON.stringify(delivery),
  );
  expect(seconds <= 240, `took ${seconds.toFixed(0)} s, at most 240 are allowed`);
  return `${seconds.toFixed(0)} s, ${result.budgets.length} budgets pass`;
});

await step('negative-control', async () => {
  const { code } = await npm(['run', 'bench', '--', '--client', 'naive']);
  const result = latest();
  expect(code === 1, `exit ${code}, expected 1`);
  for (const name of ['ui_settle_ms', 'bulk_calls', 'toasts'])
    expect(verdictOf(result, name) === 'fail', `${name} is ${verdictOf(result, name)}, expected fail`);
  expect(result.delivery.terminalEventsReceived === 1000, JSON.stringify(result.delivery));
  return `settle ${result.client.settleMs} ms, ${result.client.bulkCalls} bulk calls, ${result.client.toasts} toasts`;
});

await needsImages('real-images-val', async () => {
  const images = path.resolve(options.images);
  const args = ['run', 'bench', '--', '--images', images, '--split', 'val', '--kind', 'fluorescence'];
  const { code } = await npm(args);
  const result = latest();
  expect(code === 0, `exit ${code}`);
  const card = JSON.parse(readFileSync(path.join(clone, 'service/models/nuclei/1/card.json'), 'utf8'));
  const wanted = card.evaluation.val.ap['0.5'];
  const { ap50 } = result.accuracy;
  expect(Math.abs(ap50 - wanted) <= 0.02, `ap50 ${ap50}, the card says ${wanted}`);
  return `ap50 ${ap50.toFixed(3)}, the card says ${wanted}`;
});

await needsImages('real-images-all', async () => {
  const { code } = await npm(['run', 'bench', '--', '--images', path.resolve(options.images)]);
  const result = latest();
  const { submitted, completed, failed } = result.delivery;
  expect(code === 0, `exit ${code}`);
  expect(completed + failed === submitted && submitted === result.images.count, JSON.stringify(result.delivery));
  return `${completed} completed, ${failed} failed of ${submitted}`;
});

await step('usage', async () => {
  const bad = await npm(['run', '-s', 'bench', '--', '--scenaro', 'bulk-1000']);
  expect(bad.code === 2, `an unknown flag exited ${bad.code}, expected 2`);
  const folderless = await npm(['run', '-s', 'bench', '--', '--images', path.join(folder, 'nowhere')]);
  expect(folderless.code === 2, `a missing folder exited ${folderless.code}, expected 2`);
});

await step('tests', async () => {
  const check = await npm(['run', 'check']);
  expect(check.code === 0, `npm run check exited ${check.code}`);
  const test = await npm(['test'], 1_200_000);
  expect(test.code === 0, `npm test exited ${test.code}`);
});

await step('nothing-left', async () => {
  const left = readdirSync(tmpdir()).filter((name) => name.startsWith('segbench-') && !folder.endsWith(name));
  expect(left.length === 0, `temporary folders left: ${left.join(', ')}`);
  const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(clone) && !line.includes('fresh-clone'));
  expect(processes.length === 0, `processes left: ${processes.join('; ')}`);
});

if (!options.keep && existsSync(folder)) rmSync(folder, { recursive: true, force: true });
const count = (state) => outcomes.filter((outcome) => outcome.state === state).length;
console.log(`${count('passed')} passed, ${count('failed')} failed, ${count('not run')} skipped`);
process.exitCode = count('failed') ? 1 : 0;
