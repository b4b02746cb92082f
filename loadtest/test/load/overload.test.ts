import { describe, expect, it } from 'vitest';
import { OVERLOAD } from '../../../scenarios/overload.ts';
import type { Measurements } from '../../src/contract.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import type { GeneratorReport } from '../../src/load/generator-protocol.ts';
import { judge } from '../../src/load/overload.ts';

const report = (changes: Partial<GeneratorReport> = {}): GeneratorReport => ({
  intended: 1000,
  sent: 1000,
  ok: 1000,
  refused: 0,
  wrong: {},
  byName: {},
  failed: {},
  tookMs: 10_000,
  p50Ms: 5,
  p95Ms: 8,
  p99Ms: 10,
  maxMs: 12,
  settledP99Ms: 12,
  refusedP99Ms: null,
  lagP99Ms: 2,
  hdr: {},
  inFlight: { counted: 1, byLittle: 1 },
  buckets: [0, 500, 1000].map((atMs) => ({ atMs, ok: 9, refused: 0, failed: 0, p50Ms: 5, p99Ms: 9 })),
  ...changes,
});
/** Verdicts of an overload like that. */
function verdicts(over: Partial<GeneratorReport>, after: Partial<GeneratorReport> = {}): Record<string, string> {
  const measurements: Measurements = {};
  const parts = { peak: 100, light: report(), over: report(over), after: report(after) };
  judge({ measurements }, OVERLOAD.phases, parts, 1e6);
  return Object.fromEntries(
    judgeBudgets(measurements, OVERLOAD.budgets, { imageCount: 200 })
      .filter(({ name }) => name.startsWith('overload_'))
      .map(({ name, verdict }) => [name.replace('overload_', ''), verdict]),
  );
}
const slow = { settledP99Ms: 5000, ok: 100 };

describe('the verdict of an overload', () => {
  it('passes what holds, and fails what does not', () => {
    expect(new Set(Object.values(verdicts({})))).toEqual(new Set(['pass']));
    expect(verdicts(slow)).toMatchObject({ goodput_ratio: 'fail', p99_ratio: 'fail', other_answers: 'pass' });
  });

  it('neither passes nor fails what a late generator had a part in, but for answers that are wrong', () => {
    const late = { lagP99Ms: 80 };
    expect(new Set(Object.values(verdicts(late)))).toEqual(new Set(['inconclusive']));
    expect(verdicts({ ...slow, ...late, failed: { 500: 3 } })).toMatchObject({
      goodput_ratio: 'inconclusive',
      p99_ratio: 'inconclusive',
      other_answers: 'fail',
    });
  });

  it('doubts the recovery alone when the load after it came late', () => {
    const { recovery_ms: recovery, ...rest } = verdicts({}, { lagP99Ms: 80 });
    expect(recovery).toBe('inconclusive');
    expect(new Set(Object.values(rest))).toEqual(new Set(['pass']));
  });
});
