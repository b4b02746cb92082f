import { describe, expect, it } from 'vitest';
import type { ScoredForecast } from '#contract/forecasts.ts';
import { predict, score, type Demand, type Ground, type Measured } from '../../src/forecast/predict.ts';

const alike = (count: number, one: Measured = { px: 65_536, ms: 40, bytes: 4000 }): Measured[] =>
  Array.from({ length: count }, () => one);
const ground = (over: Partial<Ground> = {}): Ground => ({ measured: alike(12), ownProject: true, past: [], ...over });
const demand = (over: Partial<Demand> = {}): Demand => ({
  images: 1000,
  px: { mean: 65_536, min: 65_536, max: 65_536 },
  ahead: { own: { images: 0, imageMs: null }, others: [] },
  ...over,
});
/** Batches like the demand above, on one worker, that took `ratios` times what their images were reckoned to take. */
const past = (...ratios: number[]) =>
  ratios.map((ratio) => ({ workers: 1, imageMs: 40, workSeconds: 40.2, tookSeconds: 40.2 * ratio }));
/** As is believed before anything is known: nine tenths busy. */
const busy = past(...Array<number>(10).fill(1 / 0.9));

describe('predict', () => {
  it('shares the work of all images among the workers', () => {
    const one = predict(ground({ past: busy }), demand(), 1)!;
    const same = busy.map((batch) => ({ ...batch, workers: 4 }));
    const four = predict(ground({ past: same }), demand(), 4)!;
    // 1,000 times 40 ms, and the windows before and after them
    expect([one.workSeconds, four.workSeconds]).toEqual([40.2, 10.2]);
    expect([one.seconds, four.seconds]).toEqual([44.7, 11.3]);
    expect(one).toMatchObject({ images: 1000, workers: 1, imagesAhead: 0, resultBytes: 4_000_000 });
  });

  it('knows nothing without a worker, an image, or eight that were measured', () => {
    expect(predict(ground(), demand(), 0)).toBeNull();
    expect(predict(ground(), demand({ images: 0 }), 2)).toBeNull();
    expect(predict(ground({ measured: alike(7) }), demand(), 2)).toBeNull();
    expect(predict(ground({ measured: alike(8) }), demand(), 2)).not.toBeNull();
  });

  it('learns from earlier batches how long they really take, and how much that varies', () => {
    const of = (...ratios: number[]) => predict(ground({ past: past(...ratios) }), demand(), 1)!;
    const [steady, varied] = [of(1.2, 1.2, 1.2, 1.2), of(0.9, 1.2, 1.6, 1.2)];
    // between what was believed and what was seen four times
    expect(steady.seconds).toBeCloseTo(40.2 * Math.exp((Math.log(1 / 0.9) + 4 * Math.log(1.2)) / 5), 1);
    expect(steady.basis.batches).toBe(4);
    const width = ({ high, low }: { high: number; low: number }) => Math.log(high / low);
    expect(width(varied)).toBeGreaterThan(1.3 * width(steady));
    const widths = [1, 3, 10, 40].map((count) => width(of(...Array<number>(count).fill(1.2))));
    expect(widths.toSorted((a, b) => b - a)).toEqual(widths);
    expect(widths.at(-1)!).toBeLessThan(widths[0]! / 6);
  });

  it('gives the interval of a normal-inverse-gamma posterior, checked by hand for three batches', () => {
    const logs = [-0.2, 0, 0.2];
    const { seconds, low, high } = predict(ground({ past: past(...logs.map(Math.exp)) }), demand(), 1)!;
    // 2 · 0.2² + 0.08 + ¾ · ln(0.9)² = 0.16833 over five degrees, times 1 + ¼; 2.571 of these deviations to both sides
    expect(high / seconds).toBeCloseTo(Math.exp(2.571 * Math.sqrt((0.16833 / 5) * 1.25)), 2);
    expect(seconds / low).toBeCloseTo(high / seconds, 1);
  });

  it('has a wide range where no batch has ended', () => {
    expect(predict(ground(), demand(), 1)).toMatchObject({ seconds: 44.7, basis: { batches: 0 } });
    const { seconds, high } = predict(ground(), demand(), 1)!;
    expect(high / seconds).toBeCloseTo(Math.exp(4.303 * 0.2 * Math.SQRT2), 1);
  });

  it('learns most from batches of about the same size and number of workers', () => {
    const small = Array.from({ length: 10 }, () => ({ workers: 1, imageMs: 40, workSeconds: 0.5, tookSeconds: 0.2 }));
    const crowded = Array.from({ length: 5 }, () => ({ workers: 8, imageMs: 40, workSeconds: 40.2, tookSeconds: 160 }));
    const mixed = predict(ground({ past: [...small, ...crowded, ...past(1.1, 1.1, 1.1)] }), demand(), 1)!;
    expect(mixed.seconds / 40.2).toBeGreaterThan(1.07);
    expect(mixed.seconds / 40.2).toBeLessThan(1.13);
    expect(mixed.basis.batches).toBe(3);
    // of nothing that is like it, nothing is learnt
    expect(predict(ground({ past: crowded }), demand(), 1)!.basis.batches).toBe(0);
  });

  it('learns little from batches of much heavier images, and all from those whose images nobody kept the weight of', () => {
    const heavy = past(...Array<number>(6).fill(2)).map((batch) => ({ ...batch, imageMs: 640 }));
    const mixed = predict(ground({ past: [...heavy, ...busy] }), demand(), 1)!;
    const without = predict(ground({ past: busy }), demand(), 1)!;
    expect(mixed.seconds / without.seconds).toBeLessThan(1.1);
    expect(mixed.basis.batches).toBe(11);
    const old = heavy.map((batch) => ({ ...batch, imageMs: null }));
    expect(predict(ground({ past: old }), demand(), 1)).toMatchObject({ basis: { batches: 6 } });
  });

  it('uses the newest fifty only', () => {
    const many = predict(
      ground({ past: past(...Array<number>(50).fill(1 / 0.9), ...Array<number>(30).fill(9)) }),
      demand(),
      1,
    );
    expect(many).toMatchObject({ seconds: 44.7, basis: { batches: 50 } });
  });

  it('waits for what is ahead: all of its own project, and as many of another as projects take turns', () => {
    const waiting = (images: number, imageMs: number | null = null) => ({ images, imageMs });
    const behind = (own: number, ...others: number[]) =>
      predict(
        ground(),
        demand({ images: 100, ahead: { own: waiting(own), others: others.map((n) => waiting(n)) } }),
        1,
      )!;
    expect(behind(300)).toMatchObject({ imagesAhead: 300, workSeconds: 16.2 });
    expect(behind(0, 10_000)).toMatchObject({ imagesAhead: 100, workSeconds: 8.2 });
    expect(behind(0, 20, 10_000)).toMatchObject({ imagesAhead: 120, workSeconds: 9 });
    // images of another project are as heavy as they were reckoned to be
    const heavier = demand({ images: 100, ahead: { own: waiting(0), others: [waiting(10_000, 400)] } });
    expect(predict(ground(), heavier, 1)).toMatchObject({ imagesAhead: 100, workSeconds: 44.2 });
  });

  it('reckons other sizes by a line through those that were measured, and says where it goes beyond them', () => {
    const two = [...alike(6, { px: 100, ms: 20, bytes: 100 }), ...alike(6, { px: 300, ms: 40, bytes: 300 })];
    const of = (px: number, measured = two) =>
      predict(ground({ measured }), demand({ px: { mean: px, min: px, max: px } }), 1)!;
    expect(of(200)).toMatchObject({ workSeconds: 30.2, resultBytes: 200_000, basis: { outside: false } });
    expect(of(1000)).toMatchObject({ workSeconds: 110.2, basis: { outside: true } });
    // one size alone: in proportion
    expect(of(131_072, alike(12))).toMatchObject({ workSeconds: 80.2, basis: { outside: true } });
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
