import { join } from 'node:path';
import { projectRoot } from '../environment/paths.ts';
import { runTool } from './child.ts';
import { reportError } from './exit.ts';
import { listenForInterrupts } from './interrupt.ts';

const HELP = `segbench test: the whole suite, with real PostgreSQL, Redis and browser

usage: npm test -- [path …] [vitest options]

  path            only test files whose path contains it
  -t PATTERN      only tests whose name matches
  --help          this page

Everything else goes to vitest as it is. Already running servers are used where SEGBENCH_TEST_DATABASE_URL,
SEGBENCH_TEST_QUEUE_REDIS_URL and SEGBENCH_TEST_CACHE_REDIS_URL are all set.`;

try {
  const args = process.argv.slice(2);
  if (args.includes('--help')) process.stdout.write(`${HELP}\n`);
  else {
    const interrupts = listenForInterrupts();
    const vitest = join(projectRoot, 'node_modules/vitest/vitest.mjs');
    process.exitCode = await runTool(vitest, ['run', '--root', projectRoot, ...args], interrupts);
    interrupts.release();
  }
} catch (error) {
  reportError(error);
}
if (process.connected) process.disconnect();
