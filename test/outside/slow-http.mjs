// slowhttptest (slow headers, slow bodies, ranges, slow readers) against a real service with short patience:
//   node test/outside/slow-http.mjs [--connections 500] [--seconds 25]
// Exit 1 when the service was not there for others meanwhile, or kept slow connections to the end; 3 when it is not installed.
import { stripVTControlCharacters } from 'node:util';
import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { AUTH, need, runProgram, startService, watchHealth } from './kit.mjs';

const { values } = parseArgs({
  options: { connections: { type: 'string', default: '500' }, seconds: { type: 'string', default: '25' } },
});
await need('slowhttptest', ['-h'], 'apt-get install slowhttptest');
const FILE = 'the large file';
const PATIENCE_MS = '5000';
const service = await startService({
  HEADERS_TIMEOUT_MS: PATIENCE_MS,
  SLOW_BODY_MS: PATIENCE_MS,
  SLOW_READER_MS: PATIENCE_MS,
  RATE_LIMITS: 'on',
});
/** Larger than what the system buffers for a connection, at an address that needs no key. */
async function largeFile() {
  const body = new FormData();
  const side = 3500;
  const noise = randomBytes(side * side);
  const png = await sharp(noise, { raw: { width: side, height: side, channels: 1 } })
    .toColourspace('b-w')
    .png({ compressionLevel: 0 })
    .toBuffer();
  body.append('files', new Blob([png]), 'large.png');
  const reply = await fetch(`${service.url}/api/projects/${service.project.id}/images`, {
    method: 'POST',
    headers: AUTH,
    body,
  });
  const { images } = await reply.json();
  return service.url + (await service.call(`/api/images/${images[0].id}`)).fileUrl;
}
const common = ['-c', values.connections, '-r', '200', '-l', values.seconds, '-p', '3'];
const MODES = [
  ['slow headers', ['-H', '-i', '1', '-u', `${service.url}/`]],
  [
    'slow bodies',
    ['-B', '-i', '1', '-s', '8192', '-t', 'POST', '-f', 'application/json', '-u', `${service.url}/api/session`],
  ],
  ['ranges', ['-R', '-a', '10', '-b', '3000', '-u', `${service.url}/openapi.json`]],
  ['slow readers', ['-X', '-w', '64', '-y', '128', '-n', '2', '-z', '8', '-u', FILE]],
];
/** Of a gauge of the service. */
async function gauge(name) {
  const text = await (await fetch(service.api.metricsUrl)).text();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\d+)`, 'm').exec(text)?.[1] ?? NaN);
}
const number = (text, name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1] ?? NaN);
let failed = false;
try {
  const rows = [];
  const file = await largeFile();
  for (const [mode, args] of MODES) {
    const stop = watchHealth(service.url);
    const { output: coloured } = await runProgram('slowhttptest', [
      ...common,
      ...args.map((each) => (each === FILE ? file : each)),
    ]);
    const output = stripVTControlCharacters(coloured);
    const health = await stop();
    // Of the last second.
    const last = output.slice(output.lastIndexOf('slow HTTP test status'));
    const unavailable = (output.match(/service available:\s+NO/g) ?? []).length;
    const cut = (await gauge('segbench_slow_bodies_cut')) + (await gauge('segbench_slow_readers_cut'));
    const row = {
      mode,
      'cut so far': cut,
      connected: number(last, 'connected'),
      closed: number(last, 'closed'),
      'seconds unavailable': unavailable,
      'others asked': health.asked,
      'others refused': health.failed,
      'worst ms': health.worstMs,
      end: /Exit status:\s+(.*)/.exec(output)?.[1]?.trim() ?? '?',
    };
    rows.push(row);
    // Whoever takes the answer of a range quickly may stay, and ask again.
    if (health.failed > 0) failed = true;
    if (mode.startsWith('slow') && (await gauge('segbench_connections')) > 20) failed = true;
  }
  console.table(rows);
} finally {
  await service.stop();
}
process.exitCode = failed ? 1 : 0;
