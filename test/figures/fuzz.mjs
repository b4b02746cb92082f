// Sends many requests drawn from the service's OpenAPI document to a real service: node test/figures/fuzz.mjs [--count 10000] [--seed N]
// Prints the seed, how often each status came, and every answer that is a 5xx or not as documented. Exit 1 when there is one.
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { count: { type: 'string', default: '10000' }, seed: { type: 'string' } } });
const seed = values.seed ?? String(randomInt(2 ** 31));
for (const [name, value] of Object.entries({ count: values.count, seed }))
  if (!/^[1-9]\d*$/.test(value)) {
    console.error(`--${name} is ${JSON.stringify(value)}: expected a whole number from 1 on`);
    process.exit(2);
  }

const root = fileURLToPath(new URL('../..', import.meta.url));
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const child = spawn(process.execPath, [vitest, 'run', 'service/test/openapi/fuzz.test.ts'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, SEGBENCH_FUZZ_COUNT: values.count, SEGBENCH_FUZZ_SEED: seed },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
