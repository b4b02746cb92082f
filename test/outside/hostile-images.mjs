// Uploads many files that were made to do harm to a real service, with its worker: node test/outside/hostile-images.mjs [--count 2400] [--seed 1]
// Prints the seed and what became of them; exit 1 when one is not answered as documented, or harms its neighbours.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { count: { type: 'string', default: '2400' }, seed: { type: 'string', default: '1' } },
});
for (const [name, value] of Object.entries(values))
  if (!/^[1-9]\d*$/.test(value)) {
    console.error(`--${name} is ${JSON.stringify(value)}: expected a whole number from 1 on`);
    process.exit(2);
  }
const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url));
const child = spawn(process.execPath, [vitest, 'run', 'service/test/hostile/images.test.ts'], {
  cwd: fileURLToPath(new URL('../..', import.meta.url)),
  stdio: 'inherit',
  env: { ...process.env, SEGBENCH_HOSTILE_COUNT: values.count, SEGBENCH_HOSTILE_SEED: values.seed },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('exit', (code) => process.exit(code ?? 1));
