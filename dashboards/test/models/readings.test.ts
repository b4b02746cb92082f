import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { changeOf, createBaseline, parseBaseline } from '../../src/models/Baseline.ts';
import { chartData, CHARTS, formatLine, rangeOf } from '../../src/models/charts.ts';
import { failedShare, limitText, liveBudgets, toneOf } from '../../src/models/live-budgets.ts';
import { fillOf, keepReading, longestEta, METRICS, ratesOf } from '../../src/models/readings.ts';
import { createSeries } from '../../src/models/Series.ts';
import { rowsInSight } from '../../src/models/operator/rows.ts';
import { changeWords, tilesOf, tracePath } from '../../src/models/operator/tiles.ts';
import { BUDGETS } from '../../../scenarios/budgets.ts';
import { nowBatch, nowReply, workerReport } from '../../../loadtest/src/stand-in/replies.ts';

const idle = nowReply({
  queue: { waiting: 0, active: 0, delayed: 0, failed: 0, oldestAgeMs: 0, workers: [] },
  stages: null,
  eventLagMs: 0,
  openBatches: 0,
  batches: [],
});

describe('readings', () => {
  it('smooth the rate over five seconds', () => {
    expect(ratesOf([{ second: 96, done: 10 }], 101, 6)).toEqual([
      [95, 0],
      [96, 2],
      [97, 2],
      [98, 2],
      [99, 2],
      [100, 2],
    ]);
  });

  it('catch up on the rate of what nobody read, and leave a gap where only a reading could tell', () => {
    const series = createSeries(METRICS);
    const at = (second: number, finished: { second: number; done: number }[]) =>
      keepReading(series, nowReply({ timestamp: new Date(second * 1000).toISOString(), finished }));
    at(1000, []);
    at(1030, [{ second: 1010, done: 50 }]);
    expect(series.at('imagesPerSecond', 1012)).toBe(10);
    expect([series.at('waiting', 1000), series.at('waiting', 1012), series.at('waiting', 1030)]).toEqual([
      412,
      null,
      412,
    ]);
  });

  it('leave the heap as it was, after ten hours as after one', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const series = createSeries(METRICS);
    const readings = (from: number, count: number): number => {
      for (let second = from; second < from + count; second++) {
        const finished = Array.from({ length: 60 }, (_, i) => ({ second: second - 60 + i, done: i }));
        keepReading(series, nowReply({ timestamp: new Date(second * 1000).toISOString(), finished }));
      }
      series.window(METRICS, 3600);
      collect();
      return process.memoryUsage().heapUsed;
    };
    const afterOne = readings(10_000, 3600);
    const afterTen = readings(13_600, 9 * 3600);
    expect(series.newest()).toBe(10_000 + 10 * 3600 - 1);
    expect(afterTen - afterOne).toBeLessThan(2e6);
  });

  it('know the longest time left, and the fill of those workers that executed something', () => {
    const slow = nowBatch(2, { eta: { seconds: 90, low: 60, high: 120 } });
    expect(longestEta([nowBatch(1), slow, nowBatch(3, { eta: null })])?.seconds).toBe(90);
    expect(longestEta([])).toBeNull();
    const workers = [workerReport(1, { batchFill: 0.5 }), workerReport(2, { batchFill: null })];
    expect(fillOf({ ...idle.queue, workers })).toBe(0.5);
    expect(fillOf(idle.queue)).toBeNull();
  });
});

describe('live budgets', () => {
  const read = (now = nowReply(), imagesPerSecond: number | null = 38) =>
    new Map(
      liveBudgets({ now, summary: null, endpoints: null, imagesPerSecond }).map((budget) => [
        budget.name,
        toneOf(budget),
      ]),
    );

  it('judge what is measured, and nothing else', () => {
    expect(Object.fromEntries(read())).toEqual({
      api_latency_mean_ms: 'unknown',
      db_query_p95_ms: 'unknown',
      throughput_images_per_minute: 'good',
      inference_p95_ms: 'good',
      worker_rss_bytes: 'good',
      event_lag_ms: 'good',
      failed_share: 'good',
    });
  });
  it('hold an idle service to no rate, and a working one to its least', () => {
    expect(read(idle, 0).get('throughput_images_per_minute')).toBe('unknown');
    expect(read(nowReply(), 10 / 60).get('throughput_images_per_minute')).toBe('good');
    expect(read(nowReply(), 9.9 / 60).get('throughput_images_per_minute')).toBe('bad');
  });
  it('write their limits with the operators of scenarios/budgets.ts', () => {
    const shown = liveBudgets({ now: null, summary: null, endpoints: null, imagesPerSecond: null });
    const texts = Object.fromEntries(shown.map((budget) => [budget.name, limitText(budget, budget.format)]));
    expect(texts).toMatchObject({ throughput_images_per_minute: '>= 10/min', api_latency_mean_ms: '< 200 ms' });
    for (const { name, operator } of BUDGETS)
      expect(shown.find((budget) => budget.name === name)?.operator ?? operator).toBe(operator);
  });
  it.each([
    ['inference_p95_ms', nowReply({ stages: { images: 1, waitMs: 0, runMs: 1, runP95Ms: 5000, publishMs: 0 } })],
    ['event_lag_ms', nowReply({ eventLagMs: 1000 })],
    [
      'worker_rss_bytes',
      nowReply({ queue: { ...idle.queue, workers: [workerReport(1, { rssBytes: 2e9 }), workerReport(2)] } }),
    ],
    [
      'failed_share',
      nowReply({
        batches: [nowBatch(1, { counts: { queued: 0, processing: 0, completed: 8, failed: 2, cancelled: 0 } })],
      }),
    ],
  ])('say that %s is over at its limit', (name, now) => {
    expect(read(now).get(name)).toBe('bad');
  });
  it('judge slow queries by their share, as a 95th percentile would', () => {
    const summary = (slowQueries: number) =>
      ({ database: { queriesPerMinute: 100, slowQueries, avgQueryTime: 1 } }) as Parameters<
        typeof liveBudgets
      >[0]['summary'];
    const tones = [4, 5].map(
      (slow) =>
        liveBudgets({ now: null, summary: summary(slow), endpoints: null, imagesPerSecond: null })
          .filter(({ name }) => name === 'db_query_p95_ms')
          .map(toneOf)[0],
    );
    expect(tones).toEqual(['good', 'bad']);
  });
  it('count failures of open batches alone', () => {
    const ended = nowBatch(1, {
      status: 'completed',
      counts: { queued: 0, processing: 0, completed: 0, failed: 9, cancelled: 0 },
    });
    expect(failedShare(nowReply({ batches: [ended] }))).toBeNull();
  });
});

describe('tiles', () => {
  it('have six numbers with limit, detail and difference to the baseline', () => {
    const baseline = { at: '2026-01-01T00:00:00Z', values: { waiting: 206, imagesPerSecond: 40 } };
    const tiles = tilesOf({ now: nowReply(), endpoints: null, imagesPerSecond: 38, busyRatio: 0.96, baseline });
    expect(tiles.map(({ value }) => value)).toEqual(['412', '38', '11 s', '–', '2 of 2', '0']);
    expect(tiles.map(({ change }) => change)).toEqual([
      '+100 % to base',
      '-5 % to base',
      'no baseline',
      'no baseline',
      'no baseline',
      'no baseline',
    ]);
    expect(tiles.filter(({ over }) => over)).toEqual([]);
    expect(tiles[2]!.detail).toBe('9 s to 15 s');
    expect(tiles.map(({ limit }) => limit)).toContain('>= 0.2');
  });
  it('say what is over its limit', () => {
    const stuck = nowReply({ queue: { ...nowReply().queue, oldestAgeMs: 700_000 } });
    const tiles = tilesOf({ now: stuck, endpoints: null, imagesPerSecond: 0.1, busyRatio: null, baseline: null });
    expect(tiles.filter(({ over }) => over).map(({ label }) => label)).toEqual(['Queue depth', 'Images/s']);
  });
  it('name a difference only where there is something to divide by', () => {
    const baseline = { at: '', values: { failed: 0, waiting: 100 } };
    expect([0, 3].map((now) => changeWords(now, baseline, 'failed'))).toEqual(['as base', 'base 0']);
    expect(changeWords(100.2, baseline, 'waiting')).toBe('as base');
    expect(changeOf(50, 100)).toBe(-0.5);
  });
  it('draw a trace from the bottom up, with gaps', () => {
    expect(tracePath([0, 10, null, 5], 30, 10, 4)).toBe('M0.0 10.0L10.0 0.0M30.0 5.0');
    expect(tracePath([null, null], 30, 10)).toBe('');
    expect(
      tracePath(
        Array.from({ length: 300 }, () => 1),
        30,
        10,
        60,
      ).match(/[ML]/g),
    ).toHaveLength(60);
  });
});

describe('charts', () => {
  it('have a column for the seconds and one for each line, and marks for baseline and budget', () => {
    const series = createSeries(METRICS);
    keepReading(series, nowReply({ timestamp: '2026-01-01T00:01:00Z' }));
    const stages = CHARTS.find(({ key }) => key === 'stages')!;
    const baseline = { at: '', values: { runMs: 50 } };
    const { columns, marks, range } = chartData(stages, series, '5 min', baseline);
    expect([columns.length, columns[0].length, columns.slice(1).map((line) => line.at(-1))]).toEqual([
      4,
      300,
      [5200, 48, 74],
    ]);
    expect(marks).toEqual([
      { kind: 'baseline', value: 50, line: 1 },
      { kind: 'budget', value: 5000, line: 0 },
    ]);
    expect(range).toEqual([10, 10_000]);
  });
  it('draw how full executions were beside the throughput, as a share', () => {
    const throughput = CHARTS.find(({ key }) => key === 'throughput')!;
    const line = throughput.metrics.indexOf('batchFill');
    expect(throughput.share).toBe(line);
    expect([formatLine(throughput, 0, 38.25), formatLine(throughput, line, 0.75)]).toEqual(['38.3', '75 %']);
  });
  it('leave a budget out of sight that is far above what is measured', () => {
    const marks = [{ kind: 'budget', value: 1000, line: 0 }] as const;
    expect(rangeOf([100, 120], marks, false)[1]).toBeCloseTo(132);
    expect(rangeOf([600], marks, false)[1]).toBeCloseTo(1100);
    expect(rangeOf([], [], true)).toEqual([0.1, 1]);
  });
});

describe('the baseline', () => {
  const storageOf = (kept: Map<string, string>) => ({
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
    removeItem: (key: string) => void kept.delete(key),
  });
  it('is there again when the page is opened anew, until it is dropped', () => {
    const kept = new Map<string, string>();
    const open = () => createBaseline({ storage: storageOf(kept), now: () => 0 });
    open().take(['a', 'b'], (name) => (name === 'a' ? 7 : null));
    expect(open().state.value).toEqual({ at: '1970-01-01T00:00:00.000Z', values: { a: 7 } });
    open().drop();
    expect(open().state.value).toBeNull();
  });
  it('holds without a storage, and with one that refuses', () => {
    const refuse = () => {
      throw new Error('full');
    };
    for (const storage of [null, { getItem: refuse, setItem: refuse, removeItem: refuse }]) {
      const baseline = createBaseline({ storage, now: () => 0 });
      baseline.take(['a'], () => 7);
      expect(baseline.state.value?.values).toEqual({ a: 7 });
    }
  });
  it.each(['', '{', 'null', '7', '{"at": "yesterday", "values": {}}', '{"at": "2026-01-01", "values": null}'])(
    'is none where %j is stored',
    (text) => expect(parseBaseline(text)).toBeNull(),
  );
});

describe('rowsInSight', () => {
  const view = { count: 1000, rowPx: 40, scrollTop: 4000, height: 200, focused: null };
  it('makes a screenful of a thousand, and the row that has the focus', () => {
    expect(rowsInSight(view)).toEqual(Array.from({ length: 13 }, (_, i) => 96 + i));
    expect(rowsInSight({ ...view, focused: 3 })[0]).toBe(3);
    expect(rowsInSight({ ...view, focused: 999 }).at(-1)).toBe(999);
    expect(rowsInSight({ ...view, focused: 100 })).toHaveLength(13);
    expect(rowsInSight({ ...view, count: 2, scrollTop: 0, focused: 5 })).toEqual([0, 1]);
  });
});
