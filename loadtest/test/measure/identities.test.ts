import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchState, ServerFrame } from '#contract/events.ts';
import { holds, identitiesOf, type IdentityInput } from '../../src/measure/identities.ts';
import type { LedgerRow } from '../../src/measure/ledger.ts';
import { contradictionsOf } from '../../src/judge/verdict.ts';
import { runData } from '../judge/run-data.ts';

const AT = 1_800_000_000_000;
const seen = (atMs: number | null) => ({ count: 1, status: 'completed', seq: 1, atMs });

/** Images that are all queued at once and end one after the other, `everyMs` apart. */
function rowsOf(count: number, everyMs: number): LedgerRow[] {
  return Array.from({ length: count }, (_, index) => {
    const finishedAtMs = AT + (index + 1) * everyMs;
    const arrived = finishedAtMs + 60;
    return {
      imageId: `i${index}`,
      name: `${index}.png`,
      sha256: '',
      uploadedAtMs: AT - 1000,
      uploadRequestMs: 10,
      rowStatus: 'completed',
      polygonCount: 1,
      items: [
        {
          batchId: 'b',
          status: 'completed',
          errorCode: null,
          generation: 1,
          attempts: 1,
          worker: 'w',
          resultId: 'r',
          queuedAtMs: AT,
          startedAtMs: finishedAtMs - 20,
          finishedAtMs,
          outside: seen(arrived),
          browser: seen(arrived + 3),
        },
      ],
    };
  });
}
/** What a sampler of the batch's counters sees each 100 ms; `error` is added to each. */
function framesOf(rows: readonly LedgerRow[], error = 0) {
  const ends = rows.map(({ items }) => items[0]!.finishedAtMs!);
  const last = Math.max(...ends);
  const frames: { atMs: number; frame: ServerFrame }[] = [];
  for (let atMs = AT + 100; atMs <= last + 100; atMs += 100) {
    const open = ends.filter((end) => end > atMs).length + error;
    const counts = { queued: open, processing: 0, completed: 0, failed: 0, cancelled: 0 };
    const batches = [{ id: 'b', counts } as BatchState];
    frames.push({ atMs, frame: { type: 'events', epoch: 'e', from: 1, to: 0, events: [], batches } });
  }
  return frames;
}
const input = (given: Partial<IdentityInput> = {}): IdentityInput => {
  const rows = rowsOf(100, 50);
  return { batchId: 'b', rows, frames: framesOf(rows), stages: { images: 100, sumMs: 480, tookMs: 500 }, ...given };
};
const broken = (given: Partial<IdentityInput>) =>
  identitiesOf(input(given))
    .filter((one) => !holds(one))
    .map(({ name }) => name);

describe('identities of a run', () => {
  it('hold where all instruments count the same', () => {
    const all = identitiesOf(input());
    expect(all.map(({ name }) => name)).toEqual(['Little’s law', 'stage sums', 'page’s clock', 'database’s clock']);
    expect(all.every(holds)).toBe(true);
    // 100 images leave at even steps: half of them are there on average
    expect(all[0]!.right).toBeCloseTo(50.5, 6);
  });

  it('hold for Little’s law whatever the order and pace of the ends', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 60, maxLength: 120 });
    fc.assert(
      fc.property(gaps, (steps) => {
        let at = AT;
        const rows = rowsOf(steps.length, 1).map((row, index) => {
          at += steps[index]!;
          return { ...row, items: [{ ...row.items[0]!, finishedAtMs: at, outside: seen(at), browser: seen(at) }] };
        });
        const [law] = identitiesOf(input({ rows, frames: framesOf(rows) })).filter((one) => one.name.startsWith('Lit'));
        expect(law === undefined || holds(law)).toBe(true);
      }),
    );
  });

  it.each([
    [
      'counters that are off by a fifth of what is in flight',
      { frames: framesOf(rowsOf(100, 50), 12) },
      'Little’s law',
    ],
    ['stages that leave out a fifth of the time', { stages: { images: 100, sumMs: 400, tookMs: 500 } }, 'stage sums'],
    ['stages that overlap', { stages: { images: 100, sumMs: 600, tookMs: 500 } }, 'stage sums'],
    [
      'a page whose clock is off',
      { rows: rowsOf(100, 50).map(shifted((item) => ({ ...item, browser: seen(item.outside.atMs! + 400) }))) },
      'page’s clock',
    ],
    [
      'an event that comes before its image ended',
      { rows: rowsOf(100, 50).map(shifted((item) => ({ ...item, outside: seen(item.finishedAtMs! - 30) }))) },
      'database’s clock',
    ],
  ])('break with %s', (_, given, name) => {
    expect(broken(given)).toEqual([name]);
  });

  it('say nothing of what was not measured', () => {
    expect(identitiesOf({ batchId: 'b', rows: [], frames: [], stages: null })).toEqual([]);
    const short = rowsOf(20, 10);
    expect(identitiesOf(input({ rows: short, frames: [] })).map(({ name }) => name)).not.toContain('Little’s law');
  });

  it('are contradictions where they do not hold: such a run passes nothing', () => {
    const identities = identitiesOf(input({ stages: { images: 100, sumMs: 400, tookMs: 500 } }));
    expect(contradictionsOf(runData({ identities }))).toEqual([
      'stage sums: 400 ms and 500 ms differ by more than 50 ms (mean sum of an image’s stages; mean time from queue to end)',
    ]);
  });
});

type Item = LedgerRow['items'][number];
function shifted(change: (item: Item) => Item) {
  return (row: LedgerRow): LedgerRow => ({ ...row, items: row.items.map(change) });
}
