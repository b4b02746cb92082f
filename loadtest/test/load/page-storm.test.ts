import { expect, it } from 'vitest';
import { PAGE_STORM_BUDGETS } from '../../../scenarios/budgets-pages.ts';
import { PAGE_STORM } from '../../../scenarios/page-storm.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import { mergePercentiles } from '../../src/measure/percentile.ts';
import { measurementsOf, type StormFigures } from '../../src/load/page-storm.ts';

const REFRESH = 1000 / 60;
const good: StormFigures = {
  frames: Array.from({ length: 900 }, () => REFRESH),
  plainFrames: [],
  settleMs: 70,
  fault: null,
  seconds: 20,
  lateEvents: 1100,
  heapBytes: { before: 30e6, after: 32e6 },
};
const judged = (figures: Partial<StormFigures>) =>
  judgeBudgets(measurementsOf({ ...good, ...figures }, PAGE_STORM.phases), PAGE_STORM_BUDGETS, { imageCount: 200_000 });
const verdicts = (figures: Partial<StormFigures>) => judged(figures).map(({ verdict }) => verdict);

it('passes frames of one refresh each, and one in thirty of two', () => {
  expect(verdicts({})).toEqual(['pass', 'pass', 'pass']);
  expect(verdicts({ frames: good.frames.map((ms, i) => (i % 30 === 0 ? 2 * ms : ms)) })).toEqual([
    'pass',
    'pass',
    'pass',
  ]);
});

it('fails more of them, a single long one, and a page that is not right in time', () => {
  expect(verdicts({ frames: good.frames.map((ms, i) => (i % 10 === 0 ? 2 * ms : ms)) })).toEqual([
    'fail',
    'pass',
    'pass',
  ]);
  expect(verdicts({ frames: [...good.frames, 117] })).toEqual(['pass', 'fail', 'pass']);
  const [, , late] = judged({ settleMs: null, fault: 'shows no image' });
  expect(late).toMatchObject({ verdict: 'fail', note: 'the gallery shows no image' });
});

it('is open where a plain page had late frames or a long one too, and ours are less than twice as long', () => {
  const late = good.frames.map((ms, i) => (i % 10 === 0 ? 2 * ms : ms));
  expect(verdicts({ frames: late, plainFrames: late })).toEqual(['inconclusive', 'pass', 'pass']);
  expect(verdicts({ frames: late, plainFrames: good.frames })).toEqual(['fail', 'pass', 'pass']);
  const long = [...good.frames, 117];
  expect(verdicts({ frames: long, plainFrames: long })).toEqual(['pass', 'inconclusive', 'pass']);
  expect(verdicts({ frames: [...long, 240], plainFrames: long })).toEqual(['pass', 'fail', 'pass']);
});

it('keeps what its percentile was read from', () => {
  const { storm_page_frame_p95_ms: kept } = measurementsOf(good, PAGE_STORM.phases);
  expect(mergePercentiles([kept?.percentile])?.actual).toBeCloseTo(REFRESH, 1);
});

it('says nothing of a page that was seen to draw no frame, and passes nothing that a late stand-in did not ask for', () => {
  expect(verdicts({ frames: [] })).toEqual(['not-run', 'not-run', 'pass']);
  expect(verdicts({ lateEvents: 6000 })).toEqual(['inconclusive', 'inconclusive', 'inconclusive']);
  expect(verdicts({ lateEvents: 6000, frames: [...good.frames, 117] })).toEqual([
    'inconclusive',
    'fail',
    'inconclusive',
  ]);
});
