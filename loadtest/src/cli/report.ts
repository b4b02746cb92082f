import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { predictionsOf, type Kept } from '../capacity/predictions.ts';
import { projectRoot } from '../environment/paths.ts';
import { readResult } from '../judge/read-result.ts';
import { benchmarksMarkdown } from '../report/benchmarks.ts';
import { readFigures } from '../report/kept-figure.ts';
import { EXIT, reportError } from './exit.ts';
import { helpOf, parseFlags, textOf, type FlagTable } from './flags.ts';
import { UsageError } from './usage-error.ts';

const TARGET = join(projectRoot, 'BENCHMARKS.md');
const REFERENCE = join(projectRoot, 'bench-results/reference');
const here = (path: string) => relative(projectRoot, path);

const FLAGS = {
  check: { help: 'write nothing; exit 1 where BENCHMARKS.md is not what the result files give' },
  add: { value: 'FILE', help: 'first keep this result.json among them; needs --as' },
  as: { value: 'NAME', help: 'what the kept file is called; one that exists is replaced' },
  help: { help: 'this text' },
} as const satisfies FlagTable;
const TITLE = `Makes BENCHMARKS.md from the result files in ${here(REFERENCE)}, and from nothing else.`;

/** In the order of their names. */
async function referenceResults(): Promise<Kept[]> {
  const names = (await readdir(REFERENCE)).filter((name) => name.endsWith('.json')).toSorted();
  return Promise.all(
    names.map(async (name) => {
      const path = join(REFERENCE, name);
      return { path, name, result: await readResult(path, here(REFERENCE)) };
    }),
  );
}

async function add(file: string, as: string | undefined): Promise<void> {
  if (as === undefined || !/^[a-z0-9][a-z0-9-]{0,60}$/.test(as))
    throw new UsageError(`--as "${as ?? ''}" is not allowed; allowed: small letters, digits and hyphens`);
  const result = await readResult(file, '--add');
  await mkdir(REFERENCE, { recursive: true });
  await writeFile(join(REFERENCE, `${as}.json`), `${JSON.stringify(result, null, 2)}\n`);
}

async function run(): Promise<number> {
  const values = parseFlags(process.argv.slice(2), FLAGS);
  if (values['help']) {
    process.stdout.write(`${helpOf(TITLE, 'npm run bench:report -- [options]', FLAGS)}\n`);
    return EXIT.pass;
  }
  const file = textOf(values, 'add');
  if (file !== undefined) await add(file, textOf(values, 'as'));
  const kept = await referenceResults();
  const text = benchmarksMarkdown(
    kept.map(({ result }) => result),
    await predictionsOf(kept),
    await readFigures(),
  );
  if (!values['check']) {
    await writeFile(TARGET, text);
    process.stdout.write(`${here(TARGET)}\n`);
    return EXIT.pass;
  }
  if ((await readFile(TARGET, 'utf8')) === text) return EXIT.pass;
  process.stderr.write(`${here(TARGET)} is not what ${here(REFERENCE)} gives: npm run bench:report makes it anew\n`);
  return EXIT.failed;
}

try {
  process.exitCode = await run();
} catch (error) {
  reportError(error);
}
