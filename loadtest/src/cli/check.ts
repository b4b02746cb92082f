import { join } from 'node:path';
import { projectRoot } from '../environment/paths.ts';
import { runTool } from './child.ts';
import { EXIT, reportError } from './exit.ts';
import { helpOf, parseFlags, type FlagTable } from './flags.ts';
import { listenForInterrupts } from './interrupt.ts';

/** Migrations, statements and their plans on a real PostgreSQL; rules and panels by promtool where there is one. */
const QUERY_TESTS = [
  'service/test/database/migrations',
  'service/test/database/access-paths',
  'prometheus/test',
  'grafana/test/dashboards',
];
const CHECKS = [
  { name: 'types', script: 'node_modules/typescript/bin/tsc', args: ['-p', '.'] },
  { name: 'lint', script: 'node_modules/oxlint/bin/oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'format', script: 'node_modules/prettier/bin/prettier.cjs', args: ['--check', '--log-level', 'warn', '.'] },
  {
    name: 'SQL, PromQL, dashboards',
    script: 'node_modules/vitest/vitest.mjs',
    args: ['run', '--reporter', 'dot', ...QUERY_TESTS],
  },
  { name: 'benchmarks', script: 'loadtest/src/cli/report.ts', args: ['--check'] },
] as const;

const FLAGS: FlagTable = { help: { help: 'this page' } };
const TITLE = `segbench check: ${CHECKS.map(({ name }) => name).join(', ')}; all run, even when one finds something`;

async function run(): Promise<number> {
  const interrupts = listenForInterrupts();
  const failed: string[] = [];
  for (const { name, script, args } of CHECKS) {
    const code = await runTool(join(projectRoot, script), args, interrupts);
    if (interrupts.signal.aborted) break;
    process.stdout.write(`${name}: ${code === 0 ? 'clean' : `failed (code ${code})`}\n`);
    if (code !== 0) failed.push(name);
  }
  interrupts.release();
  if (interrupts.signal.aborted) return EXIT.interrupted;
  return failed.length > 0 ? EXIT.failed : EXIT.pass;
}

try {
  const values = parseFlags(process.argv.slice(2), FLAGS);
  if (values['help']) process.stdout.write(`${helpOf(TITLE, 'npm run check', FLAGS)}\n`);
  else {
    process.chdir(projectRoot);
    process.exitCode = await run();
  }
} catch (error) {
  reportError(error);
}
if (process.connected) process.disconnect();
