import { describe, expect, it } from 'vitest';
import type { ScoredForecast } from '#contract/forecasts.ts';
import { predict, score, type Demand, type Ground, type Measured } from '../../src/forecast/predict.ts';

const alike = (count: number, one: Measured = { px: 65_536, ms: 40, bytes: 4000 }): Measured[] =>
  Array.from({ length: count }, () => one);
const ground = (over: Partial<Ground> = {}): Ground => ({ measured: alike(12), ownProject: true, past: [], ...over });
const demand = (over: Partial<Demand> = {}): Demand => ({
  images: 1000,
  px: { mean: 65_536, min: 65_536, max: 65_536 },
  ahead: { own: 0, others: [] },
  ...over,
});
/** Batches like the demand above, on one worker, that took `ratios` times what their images were reckoned to take. */
const past = (...ratios: number[]) =>
  ratios.map((ratio) => ({ workers: 1, workSeconds: 40.2, tookSeconds: 40.2 * ratio }));

describe('predict', () => {
  it('shares the work of all images among the workers', () => {
    const one = predict(ground({ past: past(1, 1, 1) }), demand(), 1)!;
    const same = past(1, 1, 1).map((batch) => ({ ...batch, workers: 4 }));
    const four = predict(ground({ past: same }), demand(), 4)!;
    expect([one.seconds, four.seconds]).toEqual([40.2, 10.2]);
    expect(one).toMatchObject({ images: 1000, workers: 1, imagesAhead: 0, resultBytes: 4_000_000 });
  });

  it('knows nothing without a worker, an image, or eight that were measured', () => {
    expect(predict(ground(), demand(), 0)).toBeNull();
    expect(predict(ground(), demand({ images: 0 }), 2)).toBeNull();
    expect(predict(ground({ measured: alike(7) }), demand(), 2)).toBeNull();
    expect(predict(ground({ measured: alike(8) }), demand(), 2)).not.toBeNull();
  });

  it('learns from earlier batches how long they really take, and how much that varies', () => {
    const steady = predict(ground({ past: past(1.2, 1.2, 1.2, 1.2) }), demand(), 1)!;
    const varied = predict(ground({ past: past(0.9, 1.2, 1.6, 1.2) }), demand(), 1)!;
    expect(steady.seconds).toBeCloseTo(48.2, 1);
    expect(varied.seconds).toBeCloseTo(48.2, 0);
    expect(steady.basis.batches).toBe(4);
    expect(varied.high - varied.low).toBeGreaterThan(3 * (steady.high - steady.low));
  });

  it('gives the interval of one further log-normal value: t of 2 degrees of freedom for three batches', () => {
    const logs = [-0.2, 0, 0.2];
    const { seconds, high } = predict(ground({ past: past(...logs.map(Math.exp)) }), demand(), 1)!;
    // s = 0.2, so that the upper end is exp(4.303 · 0.2 · √(1 + 1/3)) times the middle
    expect(high / seconds).toBeCloseTo(Math.exp(4.303 * 0.2 * Math.sqrt(4 / 3)), 2);
  });

  it('says that its range is an assumption by naming fewer than three batches', () => {
    expect(predict(ground(), demand(), 1)).toMatchObject({
      seconds: 44.7,
      low: 27.9,
      high: 71.5,
      basis: { batches: 0 },
    });
    expect(predict(ground({ past: past(2, 2) }), demand(), 1)).toMatchObject({ seconds: 80.4, basis: { batches: 2 } });
  });

  it('learns most from batches of about the same size and number of workers', () => {
    const small = Array.from({ length: 10 }, () => ({ workers: 1, workSeconds: 0.5, tookSeconds: 0.2 }));
    const crowded = Array.from({ length: 5 }, () => ({ workers: 8, workSeconds: 40.2, tookSeconds: 160 }));
    const mixed = predict(ground({ past: [...small, ...crowded, ...past(1.1, 1.1, 1.1)] }), demand(), 1)!;
    expect(mixed.seconds / 40.2).toBeGreaterThan(1.07);
    expect(mixed.seconds / 40.2).toBeLessThan(1.13);
    expect(mixed.basis.batches).toBe(3);
    // of nothing that is like it, nothing is learnt
    expect(predict(ground({ past: crowded }), demand(), 1)!.basis.batches).toBe(0);
  });

  it('uses the newest twenty only', () => {
    const many = predict(
      ground({ past: past(...Array<number>(20).fill(1), ...Array<number>(30).fill(9)) }),
      demand(),
      1,
    );
    expect(many).toMatchObject({ seconds: 40.2, basis: { batches: 20 } });
  });

  it('waits for what is ahead: all of its own project, and as many of another as projects take turns', () => {
    const settled = ground({ past: past(1, 1, 1) });
    const behind = (own: number, ...others: number[]) =>
      predict(settled, demand({ images: 100, ahead: { own, others } }), 1)!;
    expect(behind(300)).toMatchObject({ imagesAhead: 300, seconds: 16.2 });
    expect(behind(0, 10_000)).toMatchObject({ imagesAhead: 100, seconds: 8.2 });
    expect(behind(0, 20, 10_000)).toMatchObject({ imagesAhead: 120, seconds: 9 });
  });

  it('reckons other sizes by a line through those that were measured, and says where it goes beyond them', () => {
    const two = [...alike(6, { px: 100, ms: 20, bytes: 100 }), ...alike(6, { px: 300, ms: 40, bytes: 300 })];
    const of = (px: number) =>
      predict(ground({ measured: two, past: past(1, 1, 1) }), demand({ px: { mean: px, min: px, max: px } }), 1)!;
    expect(of(200)).toMatchObject({ seconds: 30.2, resultBytes: 200_000, basis: { outside: false } });
    expect(of(1000)).toMatchObject({ seconds: 110.2, basis: { outside: true } });
    // one size alone: in proportion
    expect(
      predict(ground({ past: past(1, 1, 1) }), demand({ px: { mean: 131_072, min: 131_072, max: 131_072 } }), 1),
    ).toMatchObject({
      seconds: 80.2,
      basis: { outside: true },
    });
  });
});

describe('score', () => {
  const item = (said: number, took: number, inside: boolean): ScoredForecast => ({
    batchId: 'b',
    projectId: 'p',
    projectName: 'Plate',
    createdAt: '2026-03-02T10:00:00.000Z',
    forecast: { ...predict(ground(), demand(), 1)!, seconds: said },
    tookSeconds: took,
    gotBytes: 1,
    inside,
  });

  it('has none of nothing', () => expect(score([])).toBeNull());
  it('means ratios geometrically, takes the median error, and counts the ranges that held', () => {
    expect(score([item(10, 20, false), item(10, 5, true), item(10, 11, true)])).toEqual({
      batches: 3,
      bias: Number((1.1 ** (1 / 3) - 1).toFixed(3)),
      error: 0.5,
      coverage: 0.667,
    });
    expect(score([item(10, 12, true), item(10, 14, true)])).toMatchObject({ error: 0.3, coverage: 1 });
  });
});
