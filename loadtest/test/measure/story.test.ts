import { describe, expect, it } from 'vitest';
import type { LedgerItem, LedgerRow } from '../../src/measure/ledger.ts';
import { tellStory, type StageSpan } from '../../src/run/story.ts';

const BEGAN = 1_700_000_000_000;
const seen = { count: 1, status: 'completed', seq: 1, atMs: null };

function row(at: number, tookMs: number | null): LedgerRow {
  const item: LedgerItem = {
    batchId: 'batch',
    status: tookMs === null ? 'processing' : 'completed',
    errorCode: null,
    generation: 1,
    attempts: 1,
    worker: 'w',
    resultId: 'r',
    queuedAtMs: BEGAN,
    startedAtMs: BEGAN,
    finishedAtMs: tookMs === null ? null : BEGAN + tookMs,
    outside: seen,
    browser: seen,
  };
  const about = { sha256: '', uploadedAtMs: 0, uploadRequestMs: 0, rowStatus: 'completed', polygonCount: 1 };
  return { imageId: `image-${at}`, name: `${at}.png`, items: [item], ...about };
}
const span = (at: number, stage: string, fromMs: number, durationMs: number): StageSpan => ({
  imageId: `image-${at}`,
  stage,
  fromMs: BEGAN + fromMs,
  durationMs,
});
const throughputOf = (...given: Parameters<typeof tellStory>) => tellStory(...given).plots[0]!;
const integral = (points: readonly (readonly [number, number])[]) =>
  points.reduce((sum, [, value]) => sum + value, 0) * (points[1]![0] - points[0]![0]);

describe('the story of a run', () => {
  it('counts each image that ended once, whenever that was', () => {
    const rows = Array.from({ length: 100 }, (_, at) => row(at, 10 * (at + 1)));
    const { series } = throughputOf(rows, [], []);
    expect(Math.round(integral(series[0]!.points) / 1000)).toBe(100);
  });

  it('has in each stage as many images as were there, by their time', () => {
    const rows = [row(0, 800), row(1, 800)];
    const spans = [
      span(0, 'wait', 0, 300),
      span(0, 'infer', 100, 400),
      span(1, 'infer', 300, 200),
      span(1, 'save', 795, 5),
    ];
    const { series } = throughputOf(rows, spans, []).bands!;
    expect(series.map(({ name }) => name)).toEqual(['infer', 'save']);
    expect(Math.round(integral(series[0]!.points))).toBe(600);
    expect(Math.max(...series[0]!.points.map(([, busy]) => busy))).toBeCloseTo(2);
    expect(Math.round(integral(series[1]!.points))).toBe(5);
  });

  it('adds up the processes of a role, and not the readings of one', () => {
    const memory = [0, 100].flatMap((atMs) => [
      { atMs, role: 'inference', pid: 1, rssBytes: 10 },
      { atMs: atMs + 0.1, role: 'inference', pid: 1, rssBytes: 12 },
      { atMs, role: 'inference', pid: 2, rssBytes: 20 },
      { atMs, role: 'api', pid: 3, rssBytes: 7 },
    ]);
    const { series } = tellStory([], [], memory).plots[0]!;
    expect(series.map(({ name, points }) => [name, points.map(([, bytes]) => bytes)])).toEqual([
      ['inference', [32, 32]],
      ['api', [7, 7]],
    ]);
  });

  it('names the ten images that took longest, with their stages', () => {
    const rows = [...Array.from({ length: 30 }, (_, at) => row(at, at)), row(99, null)];
    const { tables } = tellStory(rows, [span(29, 'wait', 0, 20), span(29, 'infer', 20, 9)], []);
    expect(tables[0]!.columns.map(({ name }) => name)).toEqual([
      'image',
      'ended',
      'attempts',
      'in all',
      'wait',
      'infer',
    ]);
    expect(tables[0]!.rows).toHaveLength(10);
    expect(tables[0]!.rows[0]).toEqual(['29.png', 'completed', 1, 29, 20, 9]);
    expect(tables[0]!.rows[1]).toEqual(['28.png', 'completed', 1, 28, null, null]);
  });

  it('is silent where nothing ended', () => {
    expect(tellStory([row(0, null)], [], [])).toEqual({ tables: [], plots: [] });
  });
});
