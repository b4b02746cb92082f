import { describe, expect, it } from 'vitest';
import { BULK_1000 } from '../../../scenarios/bulk-1000.ts';
import type { Measurement, RunData } from '../../src/contract.ts';
import { timed, whyShort } from '../../src/load/pacing.ts';
import { judgeRun } from '../../src/judge/judge-run.ts';
import { noiseOnly } from '../../src/judge/noise-only.ts';
import { measurementsWith, runData } from './run-data.ts';

const LAW = {
  name: 'Little’s law',
  what: 'two ways',
  unit: 'count' as const,
  left: 10.9,
  right: 9.4,
  within: 0.9,
  of: 40,
};
const found = (frames: Measurement | undefined, more: Partial<RunData> = {}) => {
  const measurements = { ...measurementsWith(), ...(frames ? { frame_p95_ms: frames } : {}) };
  const tool = { name: 'segbench', version: '0', commit: 'test' };
  return noiseOnly(judgeRun({ run: runData({ measurements, ...more }), scenario: BULK_1000, tool }));
};
const noise = { foreignCpuShare: 0.5, generatorLagP99Ms: 1 };
const LATE = { actual: 33.3 };

describe('noiseOnly', () => {
  it('has nothing to say of a pass', () => {
    expect(found(undefined)).toEqual({ open: [], wrong: [] });
  });

  it('leaves open what a busy machine explains, and what a plain page shows', () => {
    const { open, wrong } = found(LATE, { noise });
    expect(wrong).toEqual([]);
    expect(open).toEqual([expect.stringMatching(/^frame_p95_ms: over the limit .* other processes took 50 %/)]);
    const beside = found({ ...LATE, floor: { actual: 33.3, of: 'a plain page’s frames' } });
    expect([beside.wrong, beside.open.length]).toEqual([[], 1]);
  });

  it('leaves open what a load that came late says, and nothing that it never sent', () => {
    const note = '57 answers';
    const late = whyShort(100, 100, 44)!;
    expect(found(timed(5, note, late))).toEqual({ open: [expect.stringContaining(late)], wrong: [] });
    expect(found({ actual: 5, note, weakened: late })).toEqual({ open: [expect.stringContaining(late)], wrong: [] });
    expect(found(timed(5, note, whyShort(50, 100, 44))).wrong).toHaveLength(1);
  });

  it('lets no contradiction pass, alone or beside noise', () => {
    const contradiction = 'contradiction: Little’s law: 10.9 and 9.4 differ by more than 0.9 (two ways)';
    expect(found(undefined, { identities: [LAW] })).toEqual({ open: [], wrong: [contradiction] });
    const both = found(LATE, { noise, identities: [LAW] });
    expect([both.open.length, both.wrong]).toEqual([1, [contradiction]]);
  });

  it('lets nothing pass that was not measured, proves nothing or failed, beside noise either', () => {
    expect(found({ actual: null, note: 'no frame while it was busy' }, { noise }).wrong).toEqual([
      'frame_p95_ms: no frame while it was busy',
    ]);
    expect(found({ actual: 5, weakened: 'no reader while it ran' }).wrong).toHaveLength(1);
    expect(found({ actual: 500 }).wrong).toEqual(['the verdict is fail']);
  });

  it('says so of a run that is inconclusive for no reason that it names', () => {
    expect(noiseOnly({ verdict: 'inconclusive', budgets: [], notes: [] }).wrong).toHaveLength(1);
  });
});
