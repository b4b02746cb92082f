import { rm } from 'node:fs/promises';
import type { SideInfo, Triple } from '../compare/contract.ts';
import { compareResult } from '../compare/result.ts';
import { runComparison, type CompareRunInput, type CompareRunOptions } from '../compare/run.ts';
import { describeHead, resolveRef } from '../compare/side/checkout.ts';
import { runTargetComparison } from '../compare/target/run.ts';
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
import { comparedScenario, parseCompareOptions, type CompareOptions } from './compare-options.ts';
import { reportError } from './exit.ts';
import { listenForInterrupts } from './interrupt.ts';
import { ownScenario } from './own-scenario.ts';

async function runOptions(options: CompareOptions): Promise<CompareRunOptions> {
  const { pairs, images, seed, workers, minutes, scenario, all } = options;
  return {
    scenario,
    ...(await sidesOf(options)),
    pairs,
    images,
    seed,
    workers,
    pool: poolText(options),
    minutes,
    all,
  };
}

async function sidesOf({ against, targets }: CompareOptions): Promise<Pick<CompareRunOptions, 'base' | 'head'>> {
  if (against !== null)
    return { base: { name: 'base', ref: against, commit: await resolveRef(against) }, head: await describeHead() };
  const [base = '', head = ''] = targets ?? [];
  return { base: { name: 'base', ref: base, commit: '' }, head: { name: 'head', ref: head, commit: '' } };
}

/** Measures, judges what came of it, writes and prints the verdict: of a comparison that ended early, with the pairs until then. */
async function compare(given: CompareOptions): Promise<number> {
  const options = await runOptions(given);
  const interrupts = listenForInterrupts();
  const stop = createStop();
  interrupts.signal.addEventListener('abort', () => stop.interrupt(interrupts.received() ?? 'a signal'));
  const startedAt = new Date();
  const progress = createProgress(process.stderr);
  const isForeign = given.targets !== null;
  const titled = ({ ref, commit }: SideInfo) => (commit === '' ? ref : `${ref} (${commit})`);
  progress.line(`base ${titled(options.base)}, head ${titled(options.head)}, seed ${options.seed}`);
  const folder = await createRunFolder(given.out, `compare-${options.scenario.name}`, startedAt, (error) =>
    stop.lost(`the run's folder cannot be written: ${error.message}`),
  );
  const triples: Triple[] = [];
  let set: ImageSet | undefined;
  let stopped: RunData['stopped'];
  const pressure = await readCpuPressure();
  try {
    const input: CompareRunInput = {
      options,
      progress,
      stop,
      onTriple: (triple) => {
        triples.push(triple);
        folder.event({ pair: triples.length, ...triple });
      },
      onImages: (images) => (set = images),
    };
    if (isForeign) await runTargetComparison(input, (base, head) => Object.assign(options, { base, head }));
    else await runComparison(input);
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
  const result = await compareResult({ options, triples, set, startedAt, stopped, psiCpuSome, isForeign });
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
  const args = process.argv.slice(2);
  const command = parseCompareOptions(args, await ownScenario(comparedScenario(args)));
  if (command.kind === 'help') process.stdout.write(`${command.text}\n`);
  else if (command.kind === 'accept') process.stdout.write(`${await acceptResult(command)}\n`);
  else process.exitCode = await compare(command.options);
} catch (error) {
  reportError(error);
}
