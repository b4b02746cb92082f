import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { EventsFrame } from '#contract/events.ts';
import { BROWSE } from '../../../scenarios/browse.ts';
import { createFrameLog } from '../../src/drivers/ledger-socket.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import { judgeRun } from '../../src/judge/judge-run.ts';
import { runBrowse, seenBy } from '../../src/load/browse.ts';
import { mergePercentiles } from '../../src/measure/percentile.ts';
import { browseMix } from '../../src/load/browse-mix.ts';
import { generate } from '../../src/load/generator.ts';
import { timed } from '../../src/load/pacing.ts';
import { withInput } from './kit.ts';

const TIMEOUT_MS = 120_000;
const ids = Array.from({ length: 120 }, (_, n) => `id-${n}`);
const world = {
  projectId: 'p',
  imageIds: ids,
  file: { exportId: 'e', sizeBytes: 16 * 1024 * 1024 },
  userProjects: ['u1', 'u2'],
};

describe('browseMix', () => {
  const mix = browseMix(BROWSE.phases, world);
  const of = (name: string) => mix.filter((request) => request.name === name);

  it('holds every kind in the scenario’s shares, each with what its answer must be', () => {
    const share = (name: string) => of(name).length / mix.length;
    const planned = (name: string) =>
      BROWSE.phases.mix.filter((kind) => kind === name).length / BROWSE.phases.mix.length;
    for (const kind of new Set(BROWSE.phases.mix)) expect(share(kind)).toBeCloseTo(planned(kind), 10);
    expect(mix.filter(({ expect: wanted }) => wanted === undefined)).toEqual([]);
  });

  it('goes round pages, ranges and users', () => {
    expect(new Set(of('list').map(({ path }) => path)).size).toBe(3);
    expect(new Set(of('submit').map(({ path }) => path))).toEqual(
      new Set(['/api/projects/u1/batches', '/api/projects/u2/batches']),
    );
    expect(
      of('range')
        .map(({ headers }) => headers?.['range'])
        .slice(0, 2),
    ).toEqual(['bytes=0-262143', 'bytes=262144-524287']);
  });
});

describe('seenBy', () => {
  const frame = (from: number, images: string[]): EventsFrame => ({
    type: 'events',
    epoch: 'x',
    from,
    to: from + images.length - 1,
    events: images.map((imageId, at) => ({ seq: from + at, imageId, batchId: 'b', status: 'completed' as const })),
    batches: [],
  });
  const batches = [{ id: 'b', projectId: 'p', completed: 2, failed: 0 }];
  const seen = (...frames: EventsFrame[]) => {
    const log = createFrameLog();
    for (const one of frames) log.add(one, 0);
    return seenBy(new Map([['p', log]]), [...batches, { ...batches[0]!, id: 'other', projectId: 'nobody’s' }]);
  };

  it.each([
    ['all of it', [frame(1, ['i1', 'i2'])], { received: 2, missing: 0, duplicates: 0, gaps: 0 }],
    ['one less', [frame(1, ['i1'])], { received: 1, missing: 1, duplicates: 0, gaps: 0 }],
    ['one twice', [frame(1, ['i1', 'i2']), frame(3, ['i2'])], { received: 3, missing: 0, duplicates: 1, gaps: 0 }],
    ['a gap', [frame(1, ['i1']), frame(3, ['i2'])], { received: 2, missing: 0, duplicates: 0, gaps: 1 }],
  ])('counts when a subscriber was sent %s', (_, frames, expected) => {
    expect(seen(...frames)).toEqual(expected);
  });
});

describe('a load that came late', () => {
  const verdictOf = (actual: number, short: string | undefined) =>
    judgeBudgets({ browse_list_p95_ms: timed(actual, '7 answers', short) }, BROWSE.budgets, { imageCount: 1 })[0]
      ?.verdict;

  it('makes times inconclusive, passed or not', () => {
    expect([verdictOf(50, undefined), verdictOf(150, undefined)]).toEqual(['pass', 'fail']);
    expect([verdictOf(50, 'late'), verdictOf(5000, 'late')]).toEqual(['inconclusive', 'inconclusive']);
  });
});

describe('the generator', () => {
  let server: Server | undefined;
  afterEach(() => server?.close());

  it('tells wrong answers from failed ones, and latencies by name', async () => {
    server = createServer((request, reply) => {
      if (request.url === '/none') reply.writeHead(500).end();
      else reply.writeHead(200).end(request.url === '/short' ? 'abc' : '{"total":3}');
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server?.once('listening', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const get = (name: string, wanted: { status: number; bytes?: number; includes?: string[]; excludes?: string }) => ({
      name,
      method: 'GET' as const,
      path: `/${name}`,
      expect: wanted,
    });
    const mix = [
      get('good', { status: 200, bytes: 11, includes: ['"total":3', '{'] }),
      get('short', { status: 200, bytes: 11 }),
      get('lacks', { status: 200, includes: ['"total":4'] }),
      get('errors', { status: 200, excludes: '"total"' }),
      get('other', { status: 206 }),
      get('none', { status: 200 }),
    ];
    const report = await generate(
      {
        url,
        key: 'k',
        mix,
        durationMs: 600,
        seed: 1,
        load: { kind: 'open', perSecond: 100 },
        bucketMs: 100,
        settleMs: 0,
      },
      AbortSignal.timeout(20_000),
    );
    const each = Math.floor(report.sent / mix.length);
    expect(each).toBeGreaterThan(3);
    expect(Object.keys(report.wrong).toSorted()).toEqual(['errors', 'lacks', 'other', 'short']);
    expect(report.wrong['short']).toBeGreaterThanOrEqual(each);
    expect(Object.keys(report.failed)).toEqual(['500']);
    expect(report.byName['good']?.count).toBeGreaterThanOrEqual(each);
    expect(report.byName['none']).toBeUndefined();
    // All of them, failed ones too: a law that leaves out what failed would not hold.
    expect(report.inFlight.counted).toBeGreaterThan(0);
    expect(Math.abs(report.inFlight.counted / report.inFlight.byLittle - 1)).toBeLessThan(0.02);
    const kept = mergePercentiles([{ q: 0.95, hdr: report.byName['good']!.hdr }]);
    expect(kept?.actual).toBe(report.byName['good']!.p95Ms);
  });
});

/** The scenario, shorter: its budgets by verdict. */
const browsed = (settings: Record<string, string> = {}) =>
  withInput(['--scenario', 'browse', '--quick', '--count', '60'], settings, async (input) => {
    const phases = { ...BROWSE.phases, warmMs: 500, quickMs: 4000, users: 4, fileMebibytes: 4 };
    const run = await runBrowse({ ...BROWSE, phases }, new Date(), input);
    const { budgets } = judgeRun({ run, scenario: BROWSE, tool: { name: 't', version: '0', commit: 'c' } });
    return { run, failed: budgets.filter(({ verdict }) => verdict === 'fail').map(({ name }) => name), budgets };
  });
const COUNTS = ['browse_failed_requests', 'browse_wrong_answers', 'browse_frame_gaps'];

it(
  'answers every kind rightly beside batches, and every subscriber is told of each image once',
  async () => {
    const { run, budgets } = await browsed();
    expect(run.stopped).toBeUndefined();
    expect(budgets.filter(({ name }) => COUNTS.includes(name)).map(({ actual }) => actual)).toEqual([0, 0, 0]);
    expect(budgets.filter(({ actual }) => actual === null)).toEqual([]);
    const { submitted, completed, missing, duplicates } = run.delivery;
    expect(submitted).toBeGreaterThan(60);
    expect({ completed, missing, duplicates }).toEqual({ completed: submitted, missing: 0, duplicates: 0 });
    expect(run.tables?.[0]?.rows.length).toBe(7);
    expect(run.plots?.[0]?.series[0]?.points.length).toBeGreaterThan(2);
  },
  TIMEOUT_MS,
);

it(
  'is seen to fail by name when the list is slow and an event is lost',
  async () => {
    const { run, failed, budgets } = await browsed({ PLANT: 'slow-list,drop-event' });
    expect(failed).toContain('browse_frame_gaps');
    expect(failed).not.toContain('browse_wrong_answers');
    // On a machine so busy that the load came late it is inconclusive; the half of all that take 230 ms is the plant's alone.
    expect(budgets.find(({ name }) => name === 'browse_list_p95_ms')?.verdict).toMatch(/^(fail|inconclusive)$/);
    const p50ByKind = new Map(run.tables![0]!.rows.map(([kind, , p50]) => [kind, Number(p50)]));
    expect(p50ByKind.get('page of the image list')).toBeGreaterThanOrEqual(230);
  },
  TIMEOUT_MS,
);
