import { BUDGETS } from '../../../scenarios/budgets.ts';
import type { BudgetName, Measurement, Measurements } from '../contract.ts';
import type { Judgement } from './judge.ts';
import type { ProofLedger } from './ledger.ts';

const NO_PAGE = 'the target is not ours: its page is not measured';
const INSIDE = 'the target is not ours: only itself could say';
const OF_THE_PAGE: readonly BudgetName[] = [
  'ui_settle_ms',
  'bulk_calls',
  'toasts',
  'result_memory_bytes',
  'bundle_gzip_bytes',
  'first_paint_ms',
  'frame_p95_ms',
];

/** The budgets of a bulk run, as far as they can be seen of a service from outside; the others are `n/a`. */
export function bulkMeasurements(ledger: ProofLedger, { measurements, delivery }: Judgement): Measurements {
  const early = measurements.proof_lost?.note;
  const seen: Measurements = {
    delivery_missing: ledger.stopped ? { actual: null, note: early ?? '' } : { actual: delivery.missing },
    delivery_duplicates: { actual: delivery.duplicates },
    throughput_images_per_minute: throughputOf(ledger),
  };
  const weakened = measurements.proof_twice?.weakened;
  return Object.fromEntries(
    BUDGETS.map(({ name }): [BudgetName, Measurement] => {
      const measured = seen[name];
      if (measured) return [name, { ...measured, ...(weakened ? { weakened } : {}) }];
      return [name, { actual: null, notApplicable: OF_THE_PAGE.includes(name) ? NO_PAGE : INSIDE }];
    }),
  );
}

/** From the call that started the batch to the last end that was told. */
function throughputOf({ rows, start }: ProofLedger): Measurement {
  const ends = rows.flatMap(({ ends: [first] }) => first?.atMs ?? []);
  if (start === undefined || ends.length === 0) return { actual: null, note: 'no image ended' };
  const tookMs = ends.reduce((last, ms) => Math.max(last, ms), -Infinity) - start.fromMs;
  return tookMs > 0 ? { actual: (ends.length / tookMs) * 60_000 } : { actual: null, note: 'all ended at once' };
}
