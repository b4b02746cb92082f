import { rm } from 'node:fs/promises';
import type { Triple } from '../compare/contract.ts';
import { compareResult } from '../compare/result.ts';
import { runComparison, type CompareRunOptions } from '../compare/run.ts';
import { describeHead, resolveRef } from '../compare/side/checkout.ts';
import { compareTerminal } from '../compare/terminal.ts';
import type { RunData } from '../contract.ts';
import { EnvironmentError } from '../environment/errors.ts';
import type { ImageSet } from '../images/image-set.ts';
import { exitCodeOf } from '../judge/verdict.ts';
import { pressureBetween, readCpuPressure } from '../measure/psi.ts';
import { writeArtefacts } from '../report/write.ts';
import { createRunFolder } from '../run/folder.ts';
import { createProgress } from '../run/progress.ts';
import { poolText } from '../run/run-input.ts';
import { createStop, stoppedBy } from '../run/stop.ts';
import { acceptResult } from './compare-accept.ts';
import { parseCompareOptions, type CompareOptions } from './compare-options.ts';
import { reportError } from './exit.ts';
import { listenForInterrupts } from './interrupt.ts';

async function runOptions(options: CompareOptions): Promise<CompareRunOptions> {
  const { against, pairs, images, seed, workers, minutes, scenario, all } = options;
  const base = { name: 'base', ref: against, commit: await resolveRef(against) } as const;
  return {
    scenario,
    base,
    head: await describeHead(),
    pairs,
    images,
    seed,
    workers,
    pool: poolText(options),
    minutes,
    all,
  };
}

/** Measures, judges what came of it, writes and prints the verdict: of a comparison that ended early, with the pairs until then. */
async function compare(given: CompareOptions): Promise<number> {
  const options = await runOptions(given);
  const interrupts = listenForInterrupts();
  const stop = createStop();
  interrupts.signal.addEventListener('abort', () => stop.interrupt(interrupts.received() ?? 'a signal'));
  const startedAt = new Date();
  const progress = createProgress(process.stderr);
  progress.line(`base ${options.base.ref} (${options.base.commit}), head ${options.head.commit}, seed ${options.seed}`);
  const folder = await createRunFolder(given.out, `compare-${options.scenario.name}`, startedAt, (error) =>
    stop.lost(`the run's folder cannot be written: ${error.message}`),
  );
  const triples: Triple[] = [];
  let set: ImageSet | undefined;
  let stopped: RunData['stopped'];
  const pressure = await readCpuPressure();
  try {
    await runComparison({
      options,
      progress,
      stop,
      onTriple: (triple) => {
        triples.push(triple);
        folder.event({ pair: triples.length, ...triple });
      },
      onImages: (images) => (set = images),
    });
  } catch (error) {
    const cause: unknown = stop.signal.aborted ? stop.signal.reason : error;
    if (!stop.signal.aborted && !(error instanceof EnvironmentError)) {
      await folder.close();
      await rm(folder.path, { recursive: true, force: true });
      throw error;
    }
    stopped = stoppedBy(cause);
  } finally {
    progress.close();
    interrupts.release();
  }
  const psiCpuSome = pressureBetween(pressure, await readCpuPressure());
  const result = await compareResult({ options, triples, set, startedAt, stopped, psiCpuSome });
  await folder.close();
  const { warnings } = await writeArtefacts(result, {
    folder: folder.path,
    stepSummary: process.env['GITHUB_STEP_SUMMARY'],
  });
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  process.stderr.write(`${compareTerminal(result)}  ${folder.path}/report.html\n\n`);
  if (given.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  return exitCodeOf(result.verdict, given.onInconclusive);
}

try {
  const command = parseCompareOptions(process.argv.slice(2));
  if (command.kind === 'help') process.stdout.write(`${command.text}\n`);
  else if (command.kind === 'accept') process.stdout.write(`${await acceptResult(command)}\n`);
  else process.exitCode = await compare(command.options);
} catch (error) {
  reportError(error);
}
