import type { ResultFile } from '../contract.ts';
import { judgeRun } from '../judge/judge-run.ts';
import { readResult } from '../judge/read-result.ts';
import { exitCodeOf } from '../judge/verdict.ts';
import { terminalReport } from '../report/terminal.ts';
import { writeArtefacts } from '../report/write.ts';
import { createRunFolder } from '../run/folder.ts';
import { createProgress } from '../run/progress.ts';
import { runScenario } from '../run/scenario-run.ts';
import { createStop } from '../run/stop.ts';
import { describeTool } from '../run/tool.ts';
import { EXIT, reportError } from './exit.ts';
import { listenForInterrupts } from './interrupt.ts';
import { parseBenchOptions, type BenchOptions } from './options.ts';

/** One run: measured, judged, written. Returns the result, or undefined when it was interrupted before there was one. */
async function benchOnce(options: BenchOptions, stop: ReturnType<typeof createStop>): Promise<ResultFile> {
  const baseline = options.baseline
    ? { file: options.baseline, result: await readResult(options.baseline) }
    : undefined;
  const progress = createProgress(process.stderr);
  const folder = await createRunFolder(options.out, options.scenario.name, new Date(), (error) =>
    stop.lost(`the run's folder cannot be written: ${error.message}`),
  );
  try {
    const run = await runScenario({ options, folder, progress, stop });
    await folder.json('measurements.json', run);
    await folder.close();
    const result = judgeRun({ run, scenario: options.scenario, tool: await describeTool(), baseline });
    const stepSummary = process.env['GITHUB_STEP_SUMMARY'];
    const { warnings } = await writeArtefacts(result, { folder: folder.path, stepSummary });
    for (const warning of warnings) progress.line(warning);
    process.stderr.write(terminalReport(result, { colour: process.stderr.isTTY === true }));
    process.stderr.write(`  ${folder.path}/report.html\n\n`);
    return result;
  } finally {
    progress.close();
    await folder.close();
  }
}

/** The exit code that wins over several repeats: the first of the contract's order that any of them has. */
function worst(codes: readonly number[]): number {
  const order = [EXIT.interrupted, EXIT.environment, EXIT.failed, EXIT.regression, EXIT.inconclusive, EXIT.pass];
  return order.find((code) => codes.includes(code)) ?? EXIT.failed;
}

async function bench(options: BenchOptions): Promise<number> {
  const interrupts = listenForInterrupts();
  const stop = createStop();
  interrupts.signal.addEventListener('abort', () => stop.interrupt(interrupts.received() ?? 'a signal'));
  const results: ResultFile[] = [];
  try {
    for (let repeat = 0; repeat < options.repeat && !stop.signal.aborted; repeat++)
      results.push(await benchOnce(options, stop));
  } catch (error) {
    // Interrupted before there was anything to measure: nothing to report but that.
    if (interrupts.received() === undefined) throw error;
    return EXIT.interrupted;
  } finally {
    interrupts.release();
  }
  if (options.json) process.stdout.write(`${JSON.stringify(options.repeat > 1 ? results : results[0], null, 2)}\n`);
  return worst(results.map(({ verdict }) => exitCodeOf(verdict, options.onInconclusive)));
}

try {
  const command = parseBenchOptions(process.argv.slice(2));
  if (command.kind === 'run') process.exitCode = await bench(command.options);
  else process.stdout.write(`${command.text}\n`);
} catch (error) {
  reportError(error);
}
