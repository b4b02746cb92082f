import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ResultFile, RunData } from '../contract.ts';
import { judgeRun, type JudgeInput } from '../judge/judge-run.ts';
import { readRatchet } from '../judge/ratchet-file.ts';
import { readResult } from '../judge/read-result.ts';
import { mergeRepeats } from '../judge/repeats.ts';
import { exitCodeOf } from '../judge/verdict.ts';
import { compareWithout } from '../judge/without.ts';
import { rejudge } from '../prove/rejudge.ts';
import { terminalReport } from '../report/terminal.ts';
import { writeArtefacts } from '../report/write.ts';
import { createRunFolder } from '../run/folder.ts';
import { createProgress } from '../run/progress.ts';
import { runScenario } from '../run/scenario-run.ts';
import { SWITCHES, settingWithout, type SwitchName } from '../run/switches.ts';
import { createStop, type Stop } from '../run/stop.ts';
import { describeTool } from '../run/tool.ts';
import { EXIT, reportError } from './exit.ts';
import { listenForInterrupts } from './interrupt.ts';
import { parseBenchOptions, scenarioArgument, type BenchOptions } from './options.ts';
import { ownScenario } from './own-scenario.ts';
import type { RejudgeOptions } from './proof-options.ts';

interface Done {
  run: RunData;
  result: ResultFile;
  folder: string;
}

interface Job {
  options: BenchOptions;
  stop: Stop;
  /** Read before anything runs: a wrong file costs no run. */
  baseline: JudgeInput['baseline'];
  ratchet: JudgeInput['ratchet'];
}
/** A run with something switched off; it is compared with, never judged by. */
interface Switched {
  name: SwitchName;
  run: RunData;
}

/** Judges what was measured, and writes and prints the verdict. */
async function conclude(
  run: RunData,
  { options, baseline, ratchet }: Job,
  folder: string,
  without?: ResultFile['without'],
): Promise<ResultFile> {
  const result = judgeRun({
    run,
    scenario: options.scenario,
    tool: await describeTool(),
    baseline,
    without,
    ratchet,
  });
  const stepSummary = process.env['GITHUB_STEP_SUMMARY'];
  const { warnings } = await writeArtefacts(result, { folder, stepSummary });
  for (const warning of warnings) process.stderr.write(`${warning}\n`);
  process.stderr.write(terminalReport(result, { colour: process.stderr.isTTY === true }));
  process.stderr.write(`  ${folder}/report.html\n\n`);
  return result;
}

/** One run: measured, judged, written. What never came to be a run leaves no folder. */
async function benchOnce(
  job: Job,
  given: { settings?: Record<string, string>; compare?: (run: RunData) => ResultFile['without'] } = {},
): Promise<Done> {
  const { settings } = given;
  const { options, stop } = job;
  const progress = createProgress(process.stderr);
  const folder = await createRunFolder(options.out, options.scenario.name, new Date(), (error) =>
    stop.lost(`the run's folder cannot be written: ${error.message}`),
  );
  try {
    const measured = await runScenario({ options, folder, progress, stop, settings }).catch(async (error: unknown) => {
      await folder.close();
      await rm(folder.path, { recursive: true, force: true });
      throw error;
    });
    const run = settings ? { ...measured, settings } : measured;
    await folder.json('measurements.json', run);
    await folder.close();
    progress.close();
    const result = await conclude(run, job, folder.path, given.compare?.(run));
    return { run, result, folder: folder.path };
  } finally {
    progress.close();
    await folder.close();
  }
}

/** All repeats as one result, in a folder of its own. The repeats keep theirs. */
async function mergeAll(done: readonly Done[], job: Job, off: readonly Switched[]): Promise<ResultFile> {
  const { options } = job;
  const folder = await createRunFolder(options.out, options.scenario.name, new Date());
  const merged = mergeRepeats(
    done.map(({ run }) => run),
    options.scenario.budgets,
  );
  await folder.json('measurements.json', merged);
  await folder.close();
  for (const repeat of done)
    await appendFile(join(folder.path, 'events.ndjson'), await readFile(join(repeat.folder, 'events.ndjson')));
  process.stderr.write(`  all ${done.length} repeats together:\n`);
  return await conclude(merged, job, folder.path, comparisons(merged, off));
}

/** Each switched-off optimisation beside the run with all of them. */
function comparisons(run: RunData, off: readonly Switched[]): ResultFile['without'] {
  const names = [...new Set(off.map(({ name }) => name))];
  return names.map((name) =>
    compareWithout(
      { name, setting: `${SWITCHES[name]}=off` },
      { with: run, without: mergeRepeats(off.filter((one) => one.name === name).map((one) => one.run)) },
    ),
  );
}

async function bench(options: BenchOptions): Promise<number> {
  const { baseline: file } = options;
  const baseline = file === undefined ? undefined : { file, result: await readResult(file) };
  const interrupts = listenForInterrupts();
  const stop = createStop();
  const ratchet = options.scenario.kind === 'bulk' ? await readRatchet() : undefined;
  const job: Job = { options, stop, baseline, ratchet };
  interrupts.signal.addEventListener('abort', () => stop.interrupt(interrupts.received() ?? 'a signal'));
  const done: Done[] = [];
  const off: Switched[] = [];
  /** Of the last run without something: the answer when nothing came after it. */
  let ended: ResultFile | undefined;
  try {
    for (let repeat = 0; repeat < options.repeat && !stop.signal.aborted; repeat++) {
      for (const name of options.without) {
        if (stop.signal.aborted) break;
        process.stderr.write(`\n  without ${name} (${SWITCHES[name]}=off)\n`);
        const withoutIt = { ...job, baseline: undefined, ratchet: undefined };
        const { run, result } = await benchOnce(withoutIt, { settings: settingWithout(name) });
        off.push({ name, run });
        ended = result;
      }
      // The run that is judged comes last: it is what `latest` points at.
      const isOnly = options.repeat === 1;
      if (!stop.signal.aborted)
        done.push(await benchOnce(job, isOnly ? { compare: (run) => comparisons(run, off) } : {}));
    }
  } finally {
    interrupts.release();
  }
  const result = done.length > 1 ? await mergeAll(done, job, off) : (done[0]?.result ?? ended);
  if (result === undefined) return EXIT.interrupted;
  if (options.json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  return exitCodeOf(result.verdict, options.onInconclusive);
}

/** The verdict from raw data alone; one that differs from what the run said is told, and is never a pass. */
async function judgeAgain({ path, json, onInconclusive }: RejudgeOptions): Promise<number> {
  const { result, disagreements } = await rejudge(path);
  process.stderr.write(terminalReport(result, { colour: process.stderr.isTTY === true }));
  for (const line of disagreements) process.stderr.write(`  ${line}\n`);
  if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  const code = exitCodeOf(result.verdict, onInconclusive);
  return code === EXIT.pass && disagreements.length > 0 ? EXIT.failed : code;
}

try {
  const args = process.argv.slice(2);
  const own = await ownScenario(scenarioArgument(args));
  const command = parseBenchOptions(args, own);
  if (command.kind === 'run') process.exitCode = await bench(command.options);
  else if (command.kind === 'rejudge') process.exitCode = await judgeAgain(command.options);
  else process.stdout.write(`${command.text}\n`);
} catch (error) {
  reportError(error);
}
