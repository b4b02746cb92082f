import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BULK_1000 } from '../../../scenarios/bulk-1000.ts';
import { acceptResult } from '../../src/cli/compare-accept.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import type { ResultFile, RunData } from '../../src/contract.ts';
import { EnvironmentError } from '../../src/environment/errors.ts';
import { judgeRun } from '../../src/judge/judge-run.ts';
import { RATCHET_METRICS, acceptInto, type RatchetFile } from '../../src/judge/ratchet.ts';
import { readRatchet } from '../../src/judge/ratchet-file.ts';
import { mergeRepeats } from '../../src/judge/repeats.ts';
import { htmlReport } from '../../src/report/html.ts';
import { markdownSummary } from '../../src/report/markdown.ts';
import { terminalReport } from '../../src/report/terminal.ts';
import { measurementsWith, runData } from './run-data.ts';

const tool = { name: 'segbench', version: '0.1.0', commit: 'test' };
const held: RatchetFile = {
  schemaVersion: 1,
  entries: (
    [
      ['queries_per_image', null, 0.2],
      ['worker_transactions_per_second', null, 14],
      ['event_frames_per_second', null, 4.4],
      ['page_bytes', null, 37_500],
      ['page_calls', 1000, 30],
      ['result_bytes_per_image', 1000, 4000],
    ] as const
  ).map(([metric, images, value]) => ({
    scenario: 'bulk-1000',
    images,
    metric,
    value,
    reason: 'first figures',
    date: '2026-01-01',
    commit: 'c',
  })),
};

/** Statements of a batch that images share, and `own` ones for each. */
function statements(own: number, images: number, shared: { frames: number; claims: number; writes: number }) {
  const { frames, claims, writes } = shared;
  const queries = 50 + 8 * frames + 8.5 * claims + 6 * writes + own * images;
  return { queries, queriesPerImage: queries / images, claims, writes };
}
const THOUSAND = { frames: 100, claims: 160, writes: 160 };

/** 1,000 images, 100 windows: 0.2 queries an image of its own, and 4,000 result bytes. */
function run(changes: Partial<RunData> = {}): RunData {
  const base = runData({
    measurements: measurementsWith({ bundle_gzip_bytes: 37_500 }),
    database: statements(0.2, 1000, THOUSAND),
    batchEvents: { frames: 100, durationMs: 25_000 },
  });
  base.clientSummary.apiCalls = { 'GET /api/projects/:id/index': 26, 'POST /api/segmentation/batch/results': 4 };
  return { ...base, ...changes };
}
const judge = (given: RunData, ratchet: RatchetFile = held): ResultFile =>
  judgeRun({ run: given, scenario: BULK_1000, tool, ratchet });
const red = ({ ratchet }: ResultFile): string[] =>
  (ratchet?.rows ?? []).filter(({ verdict }) => verdict === 'regression').map(({ metric }) => metric);

describe('the ratchet', () => {
  it('passes a run with the committed figures, and says nothing of it', () => {
    const result = judge(run());
    expect(result.verdict).toBe('pass');
    expect(result.ratchet?.notes).toEqual([]);
    expect(result.ratchet?.rows.map(({ verdict }) => verdict)).toEqual(RATCHET_METRICS.map(() => 'pass'));
  });

  it('turns red on one more query for each image, with 1,000 images and with 100', () => {
    const thousand = judge(run({ database: statements(1.2, 1000, THOUSAND) }));
    expect(thousand.verdict).toBe('regression');
    expect(red(thousand)).toEqual(['queries_per_image']);
    const quick = run({ database: statements(1.2, 100, { frames: 18, claims: 22, writes: 25 }) });
    quick.images = { ...quick.images, count: 100 };
    quick.batchEvents = { frames: 18, durationMs: 4100 };
    expect(red(judge(quick))).toEqual(['queries_per_image']);
  });

  // Figures of runs: images, queries, claims, writes, frames, ms of the batch.
  it.each([
    ['on a quiet machine', 100, 564, 23, 26, 18, 3415],
    ['on a quiet machine, with many writes', 100, 603, 27, 28, 18, 4044],
    ['on a quiet machine', 1000, 3213, 158, 160, 87, 22_481],
    ['on a quiet machine', 1000, 3370, 163, 167, 90, 22_104],
    ['beside two busy loops', 100, 630, 25, 29, 21, 4739],
    ['beside four', 100, 482, 22, 22, 17, 3739],
    ['beside ten', 100, 559, 25, 29, 17, 3991],
  ])('does not cry wolf %s', (_where, count, queries, claims, writes, frames, durationMs) => {
    const given = run({
      database: { queries, queriesPerImage: queries / count, claims, writes },
      batchEvents: { frames, durationMs },
    });
    given.images = { ...given.images, count };
    expect(red(judge(given))).toEqual([]);
  });

  it('finds one more query for each image, as two runs with it had', () => {
    for (const [queries, claims, writes, frames, durationMs] of [
      [687, 28, 31, 15, 3154],
      [594, 21, 24, 14, 3164],
    ] as const) {
      const given = run({
        database: { queries, queriesPerImage: queries / 100, claims, writes },
        batchEvents: { frames, durationMs },
      });
      given.images = { ...given.images, count: 100 };
      expect(red(judge(given))).toEqual(['queries_per_image']);
    }
  });

  it('says that a machine was too slow to see a query, and takes no figure of it', () => {
    // Measured with one more query for each image planted: 2,045 statements in 80 windows, where 1.25 images shared one.
    const slow = run({
      database: { queries: 2045, queriesPerImage: 20.5, claims: 80, writes: 80 },
      batchEvents: { frames: 80, durationMs: 19_750 },
    });
    slow.images = { ...slow.images, count: 100 };
    const result = judge(slow);
    expect(result.ratchet?.rows[0]?.verdict).toBe('not-run');
    expect(result.ratchet?.notes[0]).toMatch(/does not hold queries per image.*too slow: 1\.3 images a window/);
    expect(acceptInto({ ...held, entries: [] }, result, { reason: 'r', date: 'd' }).changed[0]?.metric).not.toBe(
      'queries_per_image',
    );
  });

  it.each([
    ['page_calls', (given: RunData): unknown => (given.clientSummary.apiCalls = { 'GET /api/images/:id': 1030 })],
    ['result_bytes_per_image', (given: RunData): unknown => (given.clientSummary.resultBytesWire = 4_800_000)],
    [
      'event_frames_per_second',
      (given: RunData): unknown => (given.batchEvents = { frames: 1000, durationMs: 25_000 }),
    ],
    ['page_bytes', (given: RunData): unknown => (given.measurements.bundle_gzip_bytes = { actual: 40_000 })],
    [
      'worker_transactions_per_second',
      (given: RunData): unknown =>
        (given.database = statements(0.2, 1000, { frames: 100, claims: 1000, writes: 1000 })),
    ],
  ] as const)('turns red when %s grows, and no other does', (metric, plant) => {
    const given = run();
    plant(given);
    const result = judge(given);
    expect(result.verdict).toBe('regression');
    expect(red(result)).toEqual([metric]);
  });

  it('says how growth is accepted in every report', () => {
    const given = run();
    given.clientSummary.resultBytesWire = 4_800_000;
    const result = judge(given);
    for (const report of [terminalReport(result, { colour: false }), htmlReport(result), markdownSummary(result)])
      expect(report).toContain('compare -- accept --reason');
    expect(terminalReport(result, { colour: false })).toContain('is 4.8 kB, committed 4 kB, at most 4.4 kB');
  });

  it('says what it does not hold, and passes none of it in silence', () => {
    const without = { ...held, entries: held.entries.filter(({ metric }) => metric !== 'page_calls') };
    const missing = judge(run(), without);
    expect(missing.ratchet?.rows.find(({ metric }) => metric === 'page_calls')?.verdict).toBe('missing');
    expect(missing.ratchet?.notes[0]).toMatch(/does not hold API calls of the page: .* no figure for 1000 images/);
    const { database: _none, ...unmeasured } = run();
    expect(judge(unmeasured).ratchet?.notes[0]).toMatch(/does not hold queries per image.*not measured/);
  });

  it('says in one sentence that a scenario has no figures yet', () => {
    const { ratchet } = judge(run({ scenario: 'mixed-sizes' }));
    expect(ratchet?.rows).toEqual([]);
    expect(ratchet?.notes).toEqual([expect.stringMatching(/holds nothing of mixed-sizes: .*accept/)]);
  });

  it.each([
    ['naive client', { client: 'naive' as const }],
    ['seed is 7', { seed: 7 }],
    ['ran with CACHE', { settings: { CACHE: 'off' } }],
    ['ended early', { stopped: { reason: 'error' as const, message: 'gone' } }],
  ])('holds nothing of another kind of run, and says so: %s', (why, changes) => {
    const { ratchet } = judge(run(changes));
    expect(ratchet?.rows).toEqual([]);
    expect(ratchet?.notes[0]).toContain(why);
  });

  it('holds the committed file to figures that exist', async () => {
    const { entries } = await readRatchet();
    const known = RATCHET_METRICS.map(({ metric }) => metric);
    expect(entries.length).toBeGreaterThan(0);
    for (const entry of entries) {
      expect(known).toContain(entry.metric);
      expect(entry.value).toBeGreaterThan(0);
      expect(entry.reason.length).toBeGreaterThan(8);
    }
    for (const images of [100, 1000])
      for (const metric of RATCHET_METRICS)
        expect(
          entries.filter((entry) => entry.metric === metric.metric && (!metric.byImages || entry.images === images)),
        ).toHaveLength(1);
  });
});

describe('accept', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'segbench-ratchet-'))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('takes what grew with its reason, leaves what only wavered, and the next run passes', async () => {
    const file = join(folder, 'ratchet.json');
    writeFileSync(file, JSON.stringify(held));
    const grown = run({ database: statements(1.21, 1000, THOUSAND) });
    grown.clientSummary.resultBytesWire = 4_010_000;
    const result = join(folder, 'result.json');
    writeFileSync(result, JSON.stringify(judge(grown)));
    const said = await acceptResult(
      { reason: 'labels are read too', result },
      { file, now: new Date('2026-02-03T00:00:00Z') },
    );
    expect(said).toContain('queries per image, without shared ones: 0.2 → 1.21');
    expect(said).not.toContain('result bytes');
    const next = await readRatchet(file);
    expect(next.entries.find(({ metric }) => metric === 'queries_per_image')).toMatchObject({
      value: 1.21,
      reason: 'labels are read too',
      date: '2026-02-03',
    });
    expect(next.entries).toHaveLength(held.entries.length);
    expect(red(judge(grown, next))).toEqual([]);
    expect(await acceptResult({ reason: 'again and again', result }, { file })).toMatch(/nothing to accept/);
  });

  it('takes what fell by as much as it may grow: from then on that is held', () => {
    const better = run();
    better.clientSummary.resultBytesWire = 3_000_000;
    const { changed } = acceptInto(held, judge(better), { reason: 'smaller', date: '2026-02-03' });
    expect(changed.map(({ metric, value }) => [metric, value])).toEqual([['result_bytes_per_image', 3000]]);
  });

  it('refuses a run whose figures are not held, and a file that is damaged', async () => {
    const result = join(folder, 'naive.json');
    writeFileSync(result, JSON.stringify(judge(run({ client: 'naive' }))));
    await expect(acceptResult({ reason: 'a good reason', result })).rejects.toThrow(UsageError);
    const damaged = join(folder, 'damaged.json');
    writeFileSync(damaged, '{"schemaVersion": 1, "entries": [{}]}');
    await expect(readRatchet(damaged)).rejects.toThrow(EnvironmentError);
    expect(readFileSync(damaged, 'utf8')).toContain('entries');
  });
});

describe('the ratchet over several repeats', () => {
  const calls = (count: number): RunData => {
    const repeat = run();
    repeat.clientSummary = { ...repeat.clientSummary, apiCalls: { 'GET /api/projects/:id/index': count } };
    return repeat;
  };
  const rowOf = (runs: RunData[], metric: string) =>
    judge(mergeRepeats(runs)).ratchet?.rows.find((row) => row.metric === metric);

  it('holds the median, whichever repeat came last, and keeps the value of each', () => {
    expect(rowOf([calls(30), calls(31), calls(90)], 'page_calls')).toMatchObject({
      now: 31,
      values: [30, 31, 90],
      verdict: 'pass',
    });
    expect(rowOf([calls(90), calls(91), calls(30)], 'page_calls')).toMatchObject({ now: 90, verdict: 'regression' });
    expect(rowOf([calls(30), calls(50)], 'page_calls')).toMatchObject({ now: 40, verdict: 'regression' });
  });

  it('judges by the repeats that can show a figure, and by none where one did not measure it', () => {
    const slow = run({
      database: statements(3, 1000, { frames: 900, claims: 160, writes: 160 }),
      batchEvents: { frames: 900, durationMs: 25_000 },
    });
    const two = rowOf([slow, run(), slow], 'queries_per_image');
    expect(two).toMatchObject({ verdict: 'pass', values: [two!.now] });
    expect(rowOf([slow, slow], 'queries_per_image')).toMatchObject({
      verdict: 'not-run',
      why: expect.stringContaining('the machine was too slow') as string,
    });
    const blind = run();
    delete blind.database;
    expect(rowOf([blind, run(), run()], 'queries_per_image')).toMatchObject({ verdict: 'not-run', now: null });
  });

  it('accepts what is held', () => {
    const merged = judge(mergeRepeats([calls(90), calls(92), calls(30)]));
    const { changed } = acceptInto(held, merged, { reason: 'asked for', date: '2026-01-02' });
    expect(changed).toMatchObject([{ metric: 'page_calls', value: 90 }]);
  });
});
