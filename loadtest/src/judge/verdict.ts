import { holds } from '../measure/identities.ts';
import { formatValue } from '../report/format.ts';
import type { BaselineComparison, JudgedBudget, RatchetComparison, RunData, Verdict } from '../contract.ts';

export const EXIT_CODES = {
  pass: 0,
  fail: 1,
  usage: 2,
  error: 3,
  regression: 4,
  inconclusive: 5,
  interrupted: 130,
} as const;

export interface Evidence {
  budgets: readonly JudgedBudget[];
  stopped?: RunData['stopped'] | undefined;
  /** Two counts of one thing that differ: nothing measured can be trusted fully. */
  contradictions?: readonly string[];
  baseline?: BaselineComparison | undefined;
  ratchet?: RatchetComparison | undefined;
}

/** The verdicts in the order in which they win, each with its condition: the first that holds. */
const ORDER: readonly [Verdict, (evidence: Evidence) => boolean][] = [
  ['interrupted', ({ stopped }) => stopped?.reason === 'interrupted'],
  ['error', ({ stopped }) => stopped?.reason === 'error'],
  ['fail', ({ budgets }) => budgets.some((budget) => budget.verdict === 'fail')],
  [
    'regression',
    ({ baseline, ratchet }) =>
      (baseline?.comparable === true && baseline.rows.some((row) => row.verdict === 'regression')) ||
      ratchet?.rows.some((row) => row.verdict === 'regression') === true,
  ],
  ['inconclusive', isInconclusive],
  ['pass', () => true],
];

export function verdictOf(evidence: Evidence): Verdict {
  return ORDER.find(([, applies]) => applies(evidence))?.[0] ?? 'inconclusive';
}

/** A run in which no budget passed has proved nothing, whatever did not apply. */
function isInconclusive({ budgets, contradictions = [], baseline }: Evidence): boolean {
  return (
    budgets.some((budget) => budget.verdict === 'inconclusive' || budget.verdict === 'not-run') ||
    !budgets.some((budget) => budget.verdict === 'pass') ||
    contradictions.length > 0 ||
    baseline?.comparable === false
  );
}

/** Exit code of a verdict; `warn` turns an inconclusive one into 0. Usage errors (2) never come to a verdict. */
export function exitCodeOf(verdict: Verdict, onInconclusive: 'fail' | 'warn' = 'fail'): number {
  if (verdict === 'inconclusive' && onInconclusive === 'warn') return EXIT_CODES.pass;
  return EXIT_CODES[verdict];
}

export const repeatName = (at: number, of: number): string => `repeat ${at + 1} of ${of}`;

/** Checks that hold in every run that came to its end; each broken one is a sentence, of a run of several repeats with its number. */
export function contradictionsOf(run: RunData): string[] {
  if (run.repeats)
    return run.repeats.flatMap(({ contradictions }, at) =>
      contradictions.map((text) => `${repeatName(at, run.repeats!.length)}: ${text}`),
    );
  if (run.stopped) return [];
  const { delivery, measurements } = run;
  const found: string[] = [];
  const ended = delivery.completed + delivery.failed;
  if (ended !== delivery.submitted)
    found.push(`${delivery.submitted} images were submitted, ${ended} ended in the database`);
  if (delivery.sequenceGaps > 0) found.push(`the client saw ${delivery.sequenceGaps} gaps in the sequence numbers`);
  const counts = { delivery_missing: delivery.missing, delivery_duplicates: delivery.duplicates } as const;
  for (const name of ['delivery_missing', 'delivery_duplicates'] as const) {
    const actual = measurements[name]?.actual ?? null;
    if (actual !== null && actual !== counts[name])
      found.push(`${name} is ${actual}, the ledger counts ${counts[name]}`);
  }
  for (const { name, what, unit, left, right, within } of (run.identities ?? []).filter((one) => !holds(one)))
    found.push(
      `${name}: ${formatValue(left, unit)} and ${formatValue(right, unit)} differ by more than ${formatValue(within, unit)} (${what})`,
    );
  return found;
}
