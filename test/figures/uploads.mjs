// What uploading costs, this checkout beside another one, in turns on the same servers:
//   node test/figures/uploads.mjs --against DIR [--rounds 6] [--images 400]
// Prints images/s and CPU ms per image (all processes of each API), and the peak of memory of the API process itself.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { pathToFileURL } from 'node:url';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { descendants, readProcess } from '../../loadtest/src/measure/proc.ts';
import { KEY, startGround } from './ground.mjs';

const { values } = parseArgs({
  options: {
    against: { type: 'string' },
    rounds: { type: 'string', default: '6' },
    images: { type: 'string', default: '400' },
  },
});
const [rounds, count] = [Number(values.rounds), Number(values.images)];
if (!values.against || !(rounds > 0) || !(count > 0)) {
  console.error('usage: node test/figures/uploads.mjs --against DIR [--rounds N] [--images N]');
  process.exit(2);
}

/** Noise in 256², as PNG, like the median image of the scenario; each with other bytes. */
async function pictures() {
  const all = [];
  for (let at = 0; at < count; at++) {
    const pixels = Buffer.from(Array.from({ length: 256 * 256 }, (_, i) => ((i * (at + 7919)) >> 5) & 255));
    all.push(
      await sharp(pixels, { raw: { width: 256, height: 256, channels: 1 } })
        .png()
        .toBuffer(),
    );
  }
  return all;
}
async function readingsOf(pid) {
  const all = [pid, ...descendants(pid)].map(readProcess);
  return all.filter(Boolean);
}
const cpuOf = async (pid) =>
  (await readingsOf(pid)).reduce((sum, { cpuSeconds, reapedCpuSeconds }) => sum + cpuSeconds + reapedCpuSeconds, 0);

async function upload(url, images) {
  const headers = { authorization: `Bearer ${KEY}` };
  const made = await fetch(`${url}/api/projects`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body: '{"name":"figures"}',
  });
  const { id } = await made.json();
  const groups = Array.from({ length: Math.ceil(images.length / 50) }, (_, at) => images.slice(at * 50, at * 50 + 50));
  await Promise.all(
    groups.map(async (group) => {
      const body = new FormData();
      for (const [at, bytes] of group.entries()) body.append('files', new Blob([bytes]), `${at}.png`);
      const reply = await fetch(`${url}/api/projects/${id}/images`, { method: 'POST', headers, body });
      if (reply.status !== 201) throw new Error(`${reply.status} ${await reply.text()}`);
      await reply.arrayBuffer();
    }),
  );
}

const ground = await startGround({ CACHE: 'off' });
const roleOf = async (dir) => {
  const { startRole } = await import(pathToFileURL(join(resolve(dir), 'service/src/role-process.ts')).href);
  return startRole({ role: 'api', log: () => {}, onGroup: () => {}, env: ground.env });
};
const other = await roleOf(values.against);
const sides = [
  { name: 'before', api: other, ms: [], cpu: [] },
  { name: 'after', api: ground.api, ms: [], cpu: [] },
];
try {
  const images = await pictures();
  for (const { api } of sides) await upload(api.url, images.slice(0, 100));
  for (let round = 0; round < rounds; round++)
    for (const side of round % 2 ? sides : sides.toReversed()) {
      const before = await cpuOf(side.api.pid);
      const begin = performance.now();
      await upload(side.api.url, images);
      side.ms.push(performance.now() - begin);
      side.cpu.push(((await cpuOf(side.api.pid)) - before) * 1000);
    }
  const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
  const rows = [];
  for (const { name, api, ms, cpu } of sides) {
    const status = await readFile(`/proc/${api.pid}/status`, 'utf8');
    const kb = (field) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)[1]) / 1000;
    const children = (await readingsOf(api.pid)).slice(1).map(({ peakRssBytes }) => Math.round(peakRssBytes / 1e6));
    rows.push({
      name,
      'images/s': Math.round((count / median(ms)) * 1000),
      'CPU ms/image': (median(cpu) / count).toFixed(2),
      'API RSS peak MB': Math.round(kb('VmHWM')),
      'API RSS MB': Math.round(kb('VmRSS')),
      'children peak MB': children.join(' + ') || '–',
    });
  }
  console.table(rows);
  const ratios = sides[0].ms.map((ms, at) => ms / sides[1].ms[at]);
  console.log(`throughput after / before, median of ${rounds} pairs: ${median(ratios).toFixed(2)}`);
} finally {
  await other.stop();
  await ground.stop();
}
