import { describe, expect, it } from 'vitest';
import { newSpanId, partsOf, sibling } from '../../src/traces/context.ts';
import { createMoves } from '../../src/traces/moves.ts';
import { homeOf, placeOf, planSpans, type StoredStage, type TracedEnd } from '../../src/traces/plan.ts';

const UPLOAD = `00-${'a'.repeat(32)}-${'1'.repeat(16)}-01`;
const BATCH = `00-${'b'.repeat(32)}-${'2'.repeat(16)}-01`;
const end = (change: Partial<TracedEnd> = {}): TracedEnd => ({
  imageId: 'image',
  batchId: 'batch',
  status: 'completed',
  code: null,
  upload: UPLOAD,
  batch: BATCH,
  spanId: 'f'.repeat(16),
  ...change,
});
const stage = (
  name: string,
  startedMs: number,
  durationMs: number,
  change: Partial<StoredStage> = {},
): StoredStage => ({
  stage: name,
  startedMs,
  durationMs,
  cpuMs: null,
  attempt: 1,
  worker: 'w1',
  cause: null,
  ...change,
});
const STAGES = [
  stage('wait', 1000, 400),
  stage('decode', 1400, 10, { cpuMs: 9 }),
  stage('infer', 1410, 80),
  stage('save', 1490, 5),
  stage('publish', 1500, 50, { worker: null }),
];
const ITEM = { queuedMs: 1000, claimedMs: 1250, attempts: 1 };
function plan(...given: Parameters<typeof planSpans>) {
  const spans = planSpans(...given);
  const named = (name: string) => spans.find((span) => span.name === name);
  return { spans, named, names: spans.map(({ name }) => name) };
}

describe('the trace of an image', () => {
  it('is its upload’s, else its batch’s, else none', () => {
    expect([homeOf(end()), homeOf(end({ upload: null })), homeOf(end({ upload: null, batch: null }))]).toEqual([
      UPLOAD,
      BATCH,
      null,
    ]);
    expect(placeOf(end())).toBe(`00-${'a'.repeat(32)}-${'f'.repeat(16)}-01`);
    expect(planSpans(end({ upload: null, batch: null }), STAGES, ITEM, null)).toEqual([]);
  });

  it('has a span from the first stage to the last, under the upload, with a link to the batch’s request', () => {
    const { spans } = plan(end(), STAGES, ITEM, 1100);
    expect(spans[0]).toMatchObject({
      name: 'segment image',
      parent: UPLOAD,
      links: [BATCH],
      startMs: 1000,
      endMs: 1550,
      spanId: 'f'.repeat(16),
      attributes: { 'segbench.image.id': 'image', 'segbench.batch.id': 'batch', 'segbench.status': 'completed' },
    });
    expect(spans[0]!.error).toBeUndefined();
    expect(plan(end({ upload: null }), STAGES, ITEM, null).spans[0]).toMatchObject({ parent: BATCH, links: [] });
  });

  it('has a span for each stage under the image’s, in the process where it happened', () => {
    const { spans, named } = plan(end(), STAGES, ITEM, null);
    const stages = spans.filter(({ parent }) => parent === placeOf(end()));
    expect(stages.map(({ name, role }) => [name, role])).toEqual([
      ['wait', 'worker'],
      ['decode', 'worker'],
      ['infer', 'worker'],
      ['save', 'worker'],
      ['publish', 'relay'],
    ]);
    expect(named('decode')).toMatchObject({ startMs: 1400, endMs: 1410, attributes: { 'segbench.cpu_ms': 9 } });
  });

  it('divides the wait by who was waited for, without a gap', () => {
    const { spans, named } = plan(end(), STAGES, ITEM, 1100);
    const wait = named('wait')!;
    const parts = spans.filter(({ parent }) => parent === sibling(placeOf(end()), wait.spanId!));
    expect(parts.map(({ name, startMs, endMs }) => [name, startMs, endMs])).toEqual([
      ['wait for the relay', 1000, 1100],
      ['wait in the queue', 1100, 1250],
      ['wait for the pool', 1250, 1400],
    ]);
  });

  it('keeps the parts of a wait inside it when clocks disagree, and leaves out what nobody noted', () => {
    const { spans } = plan(end(), STAGES, { ...ITEM, claimedMs: 990 }, 5000);
    const parts = spans.filter(({ name }) => name.startsWith('wait '));
    expect(parts.map(({ startMs, endMs }) => [startMs, endMs])).toEqual([
      [1000, 1400],
      [1400, 1400],
      [1400, 1400],
    ]);
    expect(plan(end(), STAGES, ITEM, null).names.filter((name) => name.startsWith('wait '))).toEqual([
      'wait in the queue',
      'wait for the pool',
    ]);
    expect(plan(end(), STAGES, null, null).names).toEqual(['segment image', ...STAGES.map((one) => one.stage)]);
  });

  it('shows each attempt, its cause, and divides the wait of the last one alone', () => {
    const stages = [
      stage('infer', 1000, 100, { cause: 'CRASHED: the child died' }),
      stage('wait', 1200, 100, { attempt: 2 }),
      stage('reuse', 1300, 0, { attempt: 2, cause: 'a result is stored' }),
    ];
    const { spans, named } = plan(end({ status: 'failed', code: 'CRASHED' }), stages, ITEM, null);
    expect(named('infer')).toMatchObject({ error: 'CRASHED: the child died', attributes: { 'segbench.attempt': 1 } });
    expect(named('reuse')!.error).toBeUndefined();
    expect(spans[0]).toMatchObject({ error: 'CRASHED' });
    expect(plan(end(), [stage('wait', 0, 9), stage('wait', 20, 9)], ITEM, 25).names).toEqual([
      'segment image',
      'wait',
      'wait',
      'wait for the relay',
      'wait in the queue',
      'wait for the pool',
    ]);
  });

  it('is nothing for an image of which nothing is known any more', () => {
    expect(planSpans(end({ status: 'cancelled' }), [], null, null)).toEqual([]);
    expect(plan(end({ status: 'cancelled' }), [], ITEM, null).names).toEqual(['segment image']);
  });
});

it('reads and writes places in a trace, and refuses what it never writes', () => {
  expect(partsOf(UPLOAD)).toEqual({ traceId: 'a'.repeat(32), spanId: '1'.repeat(16) });
  expect(newSpanId()).toMatch(/^[\da-f]{16}$/);
  for (const wrong of ['', UPLOAD.toUpperCase(), `${UPLOAD}-x`, UPLOAD.slice(3)])
    expect(() => partsOf(wrong)).toThrow('expected 00-TRACE-SPAN-FLAGS');
});

it('remembers when jobs went to the queue, the latest ones, and each until it is asked for', () => {
  let now = 100;
  const moves = createMoves(3, () => now);
  const job = (imageId: string, generation = 1) => ({ batchId: 'b', imageId, generation });
  moves.add([job('1'), job('2')]);
  now = 200;
  moves.add([job('3'), job('4')]);
  expect(moves.take(job('1'))).toBeNull();
  expect(moves.take(job('2'))).toBe(100);
  expect(moves.take(job('2'))).toBeNull();
  expect(moves.take(job('4', 2))).toBeNull();
  expect(moves.take(job('4'))).toBe(200);
});
