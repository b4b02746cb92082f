import { spawn, spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const GENERATOR = join(import.meta.dirname, '../../prometheus/src/generate.ts');
const ROLES = ['api', 'relay', 'worker'];

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
const configText = (scrape) => `
global: { scrape_interval: ${scrape}, scrape_timeout: 1s, evaluation_interval: ${scrape} }
rule_files: [rules/*.yml]
scrape_configs:
${ROLES.map((role) => `  - { job_name: segbench-${role}, file_sd_configs: [{ files: [targets/${role}.json], refresh_interval: 1s }] }`).join('\n')}
`;

/** Blocks as Prometheus itself would have written them. */
async function writeHistory(folder, text) {
  const file = join(folder, 'history.txt');
  await writeFile(file, text);
  const args = ['tsdb', 'create-blocks-from', 'openmetrics', '--quiet', file, join(folder, 'data')];
  const made = spawnSync('promtool', args, { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`promtool takes no history: ${made.error?.message ?? made.stderr}`);
}

/**
 * A Prometheus of its own with the project's rules, on a folder that goes with it.
 * @param {number} hurry by which waits of minutes are divided, see prometheus/src/generate.ts
 * @param {{ scrape?: string, history?: string }} [options] how often it scrapes; OpenMetrics with times, of before it was there
 */
export async function startPrometheus(hurry, { scrape = '1s', history } = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'segbench-prometheus-'));
  for (const name of ['rules', 'targets', 'data']) await mkdir(join(folder, name));
  const made = spawnSync(process.execPath, [GENERATOR, '--out', join(folder, 'rules'), '--hurry', String(hurry)], {
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`no rules: ${made.stderr}`);
  await writeFile(join(folder, 'prometheus.yml'), configText(scrape));
  if (history !== undefined) await writeHistory(folder, history);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--enable-feature=exemplar-storage',
      // what a history has may be old
      '--storage.tsdb.retention.time=10y',
      '--log.level=error',
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.once('error', (error) => {
    console.error(`prometheus does not start: ${error.message} (apt-get install prometheus)`);
    process.exit(3);
  });
  const get = async (path) => (await (await fetch(url + path)).json()).data;
  for (
    let tries = 0;
    !(await fetch(`${url}/-/ready`).then(
      (reply) => reply.ok,
      () => false,
    ));
    tries++
  ) {
    if (tries > 100) throw new Error('prometheus is not ready after 20 s');
    await sleep(200);
  }
  return {
    url,
    get,
    /** @param {Record<string, string[]>} targets `metricsUrl`s of each role */
    async watch(targets) {
      for (const role of ROLES) {
        const hosts = (targets[role] ?? []).map((metricsUrl) => new URL(metricsUrl).host);
        const file = join(folder, 'targets', `${role}.json`);
        // it is read as soon as it changes: a half is no list
        await writeFile(`${file}.new`, JSON.stringify([{ targets: hosts }]));
        await rename(`${file}.new`, file);
      }
    },
    async query(expr) {
      const { result } = await get(`/api/v1/query?query=${encodeURIComponent(expr)}`);
      return result;
    },
    /** Names of the alerts that fire, each once, sorted. */
    async firing() {
      const { alerts } = await get('/api/v1/alerts');
      const names = alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname);
      return [...new Set(names)].toSorted((a, b) => (a < b ? -1 : 1));
    },
    async stop() {
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}
