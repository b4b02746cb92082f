import type { Sql } from 'postgres';
import { countedLaw, LEAST_MS, stageSums, toldAfterEnd, type Identity } from './identities.ts';
import type { Counted, Stays } from './littles-law.ts';
import { readStageSums } from './stages.ts';

/** Half an event window: what is compared across two clocks is longer. */
const CLOCK_MS = 50;

/** When an image's end was told, epoch ms; undefined where it was not yet. */
export type ToldAt = (imageId: string) => number | undefined;

/** When each image of a batch ended, by the database's clock, epoch ms. */
export async function readEnds(sql: Sql, batchId: string): Promise<Map<string, number>> {
  const rows = await sql<{ id: string; endedMs: number }[]>`
    SELECT image_id AS id, extract(epoch FROM finished_at)::float8 * 1000 AS "endedMs"
    FROM batch_items WHERE batch_id = ${batchId} AND finished_at IS NOT NULL`;
  return new Map(rows.map(({ id, endedMs }) => [id, endedMs]));
}

/** Of every event that has arrived: from the image's end to its arrival, ms. */
export const delaysOf = (ends: ReadonlyMap<string, number>, toldAt: ToldAt): number[] =>
  [...ends].flatMap(([id, endedMs]) => {
    const atMs = toldAt(id);
    return atMs === undefined ? [] : [atMs - endedMs];
  });

/**
 * What holds for every batch, of whatever scenario: how many images were in flight, what their stages come to, its counters against
 * its rows, and the database's clock against ours. Of one that has not ended nothing.
 * @param given.counted by whoever watched it, at most a tenth of its time apart; fewer looks say nothing
 * @param given.broken servers went away meanwhile: the time of a write that had to wait for one is in no stage
 */
export async function identitiesOfBatch(
  sql: Sql,
  batchId: string,
  given: { counted?: readonly Counted[]; toldAt?: ToldAt | undefined; broken?: boolean } = {},
): Promise<Identity[]> {
  const { counted = [], toldAt, broken = false } = given;
  const batch = await readBatch(sql, batchId);
  if (batch === undefined) return [];
  const { stays } = batch;
  const isLong = stays !== null && stays.toMs - stays.fromMs >= LEAST_MS;
  const delays = toldAt && delaysOf(await readEnds(sql, batchId), toldAt);
  return [
    countedLaw(stays, counted),
    isLong && !broken ? stageSums(await readStageSums(sql, batchId)) : null,
    counters(batch),
    await clock(sql),
    delays ? toldAfterEnd(delays) : null,
  ].filter((one) => one !== null);
}

interface EndedBatch {
  /** By its counters, and by its rows. */
  counted: number;
  rows: number;
  /** Of images that a worker had; null without any. */
  stays: Stays | null;
}

/** An image that was tried again is queued anew, and has been in flight since the batch began all the same. */
async function readBatch(sql: Sql, batchId: string): Promise<EndedBatch | undefined> {
  const [row] = await sql<(Pick<EndedBatch, 'counted' | 'rows'> & Stays)[]>`
    SELECT b.completed + b.failed + b.cancelled AS counted, count(*)::int AS rows,
           count(*) FILTER (WHERE t.attempts <> 0)::int AS images, extract(epoch FROM b.created_at)::float8 * 1000 AS "fromMs",
           extract(epoch FROM max(t.finished_at))::float8 * 1000 AS "toMs",
           sum(extract(epoch FROM t.finished_at - b.created_at)) FILTER (WHERE t.attempts <> 0)::float8 * 1000 AS "sumMs"
    FROM batches b JOIN batch_items t ON t.batch_id = b.id AND t.finished_at IS NOT NULL
    WHERE b.id = ${batchId} AND b.finished_at IS NOT NULL GROUP BY b.id`;
  if (row === undefined) return undefined;
  const { counted, rows, ...stays } = row;
  return { counted, rows, stays: stays.images > 0 ? stays : null };
}

const counters = ({ counted, rows }: EndedBatch): Identity => ({
  name: 'counters',
  what: 'images that ended, by the batch’s counters; by its rows',
  unit: 'count',
  left: counted,
  right: rows,
  within: 0,
  of: rows,
});

/** How far the database's clock lies outside of the time that it took to ask for it. */
async function clock(sql: Sql): Promise<Identity> {
  const now = () => performance.timeOrigin + performance.now();
  const before = now();
  const [row] = await sql<{ atMs: number }[]>`SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS "atMs"`;
  const after = now();
  const atMs = row?.atMs ?? Number.NaN;
  return {
    name: 'two clocks',
    what: 'the database’s clock by ours; none',
    unit: 'ms',
    left: Math.min(0, atMs - before) + Math.max(0, atMs - after),
    right: 0,
    within: CLOCK_MS,
    of: 1,
  };
}

/** Share of what is allowed. */
const strain = ({ left, right, within }: Identity): number => (left === right ? 0 : Math.abs(left - right) / within);

/** Checks of many batches: of each kind the one that holds worst. */
export function createIdentityLog() {
  const worst = new Map<string, { identity: Identity; times: number }>();
  return {
    add(found: readonly Identity[]): void {
      for (const identity of found) {
        const { identity: before, times } = worst.get(identity.name) ?? { identity, times: 0 };
        worst.set(identity.name, { identity: strain(identity) > strain(before) ? identity : before, times: times + 1 });
      }
    },
    all: (): Identity[] =>
      [...worst.values()].map(({ identity, times }) =>
        times === 1 ? identity : { ...identity, what: `${identity.what}; the worst of ${times}` },
      ),
  };
}
export type IdentityLog = ReturnType<typeof createIdentityLog>;
