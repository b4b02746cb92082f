import type { ResultFile, RunData } from '../contract.ts';
import type { Scenario } from '../../../scenarios/scenario.ts';
import { compareWithBaseline } from './baseline.ts';
import { describeNoise, judgeBudgets } from './budgets.ts';
import { compareWithRatchet, type RatchetFile } from './ratchet.ts';
import { contradictionsOf, repeatName, verdictOf } from './verdict.ts';

export interface JudgeInput {
  run: RunData;
  scenario: Pick<Scenario, 'budgets' | 'notApplicable'>;
  tool: ResultFile['tool'];
  baseline?: { file: string; result: ResultFile } | undefined;
  without?: ResultFile['without'];
  /** Counts and bytes that may not grow; absent where nothing is held. */
  ratchet?: RatchetFile | undefined;
}

/** Everything that a run measured, judged: the content of `result.json`. Pure; the same input gives the same verdict. */
export function judgeRun({ run, scenario, tool, baseline, without, ratchet: held }: JudgeInput): ResultFile {
  const { measurements, clientSummary, client, ...rest } = run;
  const budgets = judgeBudgets(measurements, scenario.budgets, {
    imageCount: run.images.count,
    noise: run.noise,
    notApplicable: scenario.notApplicable,
  });
  const contradictions = contradictionsOf(run);
  const judged: ResultFile = {
    schemaVersion: 1,
    tool,
    ...rest,
    verdict: 'pass',
    budgets,
    clientMode: client,
    client: clientSummary,
    notes: notesOf(run, contradictions),
    ...(without?.length ? { without } : {}),
  };
  const comparison = baseline && compareWithBaseline(judged, baseline.result, baseline.file);
  const ratchet = held && compareWithRatchet(judged, held);
  const verdict = verdictOf({ budgets, stopped: run.stopped, contradictions, baseline: comparison, ratchet });
  return { ...judged, verdict, ...(comparison ? { baseline: comparison } : {}), ...(ratchet ? { ratchet } : {}) };
}

function notesOf(run: RunData, contradictions: readonly string[]): string[] {
  const notes = contradictions.map((text) => `contradiction: ${text}`);
  const settings = Object.entries(run.settings ?? {}).map(([name, value]) => `${name}=${value}`);
  if (settings.length > 0) notes.push(`the service ran with ${settings.join(' ')}`);
  if (run.stopped) notes.push(`${run.stopped.reason}: ${run.stopped.message}`);
  const noisy = run.repeats
    ? run.repeats.map(({ noise }, at) => ({ noise, when: ` in ${repeatName(at, run.repeats!.length)}` }))
    : [{ noise: run.noise, when: '' }];
  for (const { noise, when } of noisy) {
    const words = describeNoise(noise);
    if (words !== undefined) notes.push(`noisy machine${when}: ${words}`);
  }
  const { rejected, failedByCode } = run.images;
  if (rejected.length > 0)
    notes.push(`files rejected: ${rejected.length} (${countsOf(rejected.map((file) => file.code))})`);
  const failed = Object.entries(failedByCode);
  if (failed.length > 0)
    notes.push(`images that ended failed: ${failed.map(([code, n]) => `${n} ${code}`).join(', ')}`);
  return notes;
}

function countsOf(codes: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  return [...counts].map(([code, n]) => `${n} ${code}`).join(', ');
}
