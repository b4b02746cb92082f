// slowhttptest (slow headers, slow bodies, ranges, slow readers) against a real service with short patience:
//   node test/outside/slow-http.mjs [--connections 500] [--seconds 25]
// Exit 1 when the service was not there for others meanwhile, or kept slow connections to the end; 3 when it is not installed.
import { parseArgs } from 'node:util';
import { need, runProgram, startService, watchHealth } from './kit.mjs';

const { values } = parseArgs({
  options: { connections: { type: 'string', default: '500' }, seconds: { type: 'string', default: '25' } },
});
await need('slowhttptest', ['-h'], 'apt-get install slowhttptest');
const PATIENCE_MS = '5000';
const service = await startService({
  HEADERS_TIMEOUT_MS: PATIENCE_MS,
  SLOW_BODY_MS: PATIENCE_MS,
  SLOW_READER_MS: PATIENCE_MS,
  RATE_LIMITS: 'on',
});
const common = ['-c', values.connections, '-r', '200', '-l', values.seconds, '-p', '3'];
const MODES = [
  ['slow headers', ['-H', '-i', '1', '-u', `${service.url}/`]],
  [
    'slow bodies',
    ['-B', '-i', '1', '-s', '8192', '-t', 'POST', '-f', 'application/json', '-u', `${service.url}/api/session`],
  ],
  ['ranges', ['-R', '-a', '10', '-b', '3000', '-u', `${service.url}/openapi.json`]],
  [
    'slow readers',
    ['-X', '-w', '64', '-y', '128', '-n', '2', '-z', '8', '-k', '5', '-u', `${service.url}/openapi.json`],
  ],
];
const number = (text, name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(text)?.[1] ?? NaN);
let failed = false;
try {
  const rows = [];
  for (const [mode, args] of MODES) {
    const stop = watchHealth(service.url);
    // eslint-disable-next-line no-control-regex -- colours of a terminal
    const output = (await runProgram('slowhttptest', [...common, ...args])).output.replace(
      /\x1b\[[0-9;]*[A-Za-z]/g,
      '',
    );
    const health = await stop();
    // Of the last second.
    const last = output.slice(output.lastIndexOf('slow HTTP test status'));
    const unavailable = (output.match(/service available:\s+NO/g) ?? []).length;
    const row = {
      mode,
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
    if (health.failed > 0 || unavailable > 0) failed = true;
  }
  console.table(rows);
} finally {
  await service.stop();
}
process.exitCode = failed ? 1 : 0;
