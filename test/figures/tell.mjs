import { basename, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { figureChapter } from '../../loadtest/src/report/benchmarks-figures.ts';
import { keepFigure, takeFigure } from '../../loadtest/src/report/kept-figure.ts';

function commandLine() {
  try {
    return parseArgs({ options: { keep: { type: 'boolean', default: false } }, allowPositionals: true });
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

/**
 * The command line of a figure: what stands before and after `--keep`.
 * @returns {{ words: string[], tell: (measure: () => Promise<import('../../loadtest/src/report/kept-figure.ts').Figure>) => Promise<void> }}
 * `tell` measures, prints what it found, keeps it where that was asked for, and sets exit code 1 where a limit did not hold
 */
export function figure() {
  const { values, positionals: words } = commandLine();
  const script = process.argv[1];
  const command = ['node', relative(process.cwd(), script), ...words].join(' ');
  return {
    words,
    async tell(measure) {
      const found = await takeFigure(command, measure);
      console.log(figureChapter([found]).slice(4).join('\n'));
      if (values.keep) console.log(`kept: ${await keepFigure(basename(script, '.mjs'), found)}; npm run bench:report`);
      if (found.limits.some(({ holds }) => !holds)) process.exitCode = 1;
    },
  };
}
