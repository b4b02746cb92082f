import { createBucket, goesBefore, padded, type BatchItem, type Bucket, type Entry, type Shape } from './bucket.ts';
import { createTally, type FlushReason, type RejectReason } from './tally.ts';

export interface BatcherOptions {
  /** Largest batch. */
  maxBatch: number;
  /** How long an image may keep an idle worker waiting for others of its shape; 0: a worker takes what there is. */
  maxDelayMs: number;
  /** What is over is refused at once. */
  maxQueue: number;
  /** Sides are padded to multiples of this. */
  padTo: number;
  /** A wait as long as this is worth one step of priority, so nobody waits for ever. */
  ageingMs: number;
  /** Images of one priority go in the order in which they came, whatever their shapes. */
  preserveOrder?: boolean;
  /** Predicted execution of a batch. */
  predictMs(count: number, shape: Shape): number;
  /** How many of this shape memory bears at once; 0 for none at all. */
  mostAtOnce?(shape: Shape): number;
}
export interface Batch<T extends BatchItem> {
  items: T[];
  shape: Shape;
  reason: FlushReason;
  /** What `giveBack` needs. */
  entries: readonly Entry<T>[];
}
interface Due<T extends BatchItem> {
  bucket: Bucket<T>;
  run: Entry<T>[];
  reason: FlushReason;
}

/**
 * Decides which images run together and when. It has neither clock nor timers: who drives it passes the time (ms, never going
 * back), asks for batches while a worker is idle, and asks `nextExpiry` and `nextDue` when to come again.
 */
export function createBatcher<T extends BatchItem>(options: BatcherOptions) {
  const { maxBatch, maxDelayMs, maxQueue, padTo, ageingMs, preserveOrder = false } = options;
  for (const [name, value] of Object.entries({ maxBatch, maxQueue, padTo }))
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name} is ${value}: expected an integer from 1`);
  for (const [name, value] of Object.entries({ maxDelayMs, ageingMs }))
    if (!(value >= 0)) throw new RangeError(`${name} is ${value}: expected a number from 0`);
  const mostOf = (shape: Shape) => Math.min(maxBatch, options.mostAtOnce?.(shape) ?? maxBatch);
  const buckets = new Map<string, Bucket<T>>();
  const places = new Map<string, { entry: Entry<T>; bucket: Bucket<T> }>();
  const tally = createTally();
  let sequence = 0;
  let closed = false;

  function bucketOf(item: T): Bucket<T> {
    const shape = padded(item, padTo);
    const key = `${shape.width}x${shape.height} ${item.group ?? ''}`;
    const bucket = buckets.get(key) ?? createBucket<T>(key, shape);
    buckets.set(key, bucket);
    return bucket;
  }
  function add(entry: Entry<T>): void {
    const bucket = bucketOf(entry.item);
    bucket.add(entry);
    places.set(entry.item.id, { entry, bucket });
  }
  function dropIfEmpty({ key, entries }: Bucket<T>): void {
    if (entries.length === 0) buckets.delete(key);
  }

  /** The entries that the next batch of this bucket would have: its first, and behind it whoever still fits in. */
  function runOf(bucket: Bucket<T>): { run: Entry<T>[]; full: boolean } {
    const rivals = preserveOrder ? [...buckets.values()].filter((other) => other !== bucket) : [];
    const run: Entry<T>[] = [];
    let most = mostOf(bucket.shape);
    for (const entry of bucket.entries) {
      // An entry that may only be in small batches closes the batch in front of it, or leads one of its own.
      if (run.length >= Math.min(most, entry.most)) return { run, full: true };
      if (rivals.some(({ entries }) => goesBefore(entries[0]!, entry))) return { run, full: true };
      run.push(entry);
      most = Math.min(most, entry.most);
    }
    // Where order is kept, who comes now goes behind what waits elsewhere: this batch cannot grow any more.
    return { run, full: run.length >= most || rivals.length > 0 };
  }
  /** Whoever would be late otherwise takes the last place; the first stays, so that nobody is overtaken for ever. */
  function withUrgent(bucket: Bucket<T>, run: Entry<T>[]): Entry<T>[] {
    const urgent = bucket.entries.find(({ item }) => item.deadline === bucket.earliest())!;
    if (run.includes(urgent) || run.length < 2 || urgent.most < run.length || preserveOrder) return run;
    return [...run.slice(0, -1), urgent];
  }
  function dueOf(bucket: Bucket<T>, now: number): Due<T> | null {
    const { run, full } = runOf(bucket);
    const urgent = bucket.earliest() - options.predictMs(run.length, bucket.shape) <= now;
    const members = urgent ? withUrgent(bucket, run) : run;
    const waited = maxDelayMs === 0 ? 'idle' : bucket.oldest() + maxDelayMs <= now ? 'delay' : null;
    const reason = full ? 'size' : urgent ? 'deadline' : waited;
    return reason && { bucket, run: members, reason };
  }

  return {
    /** @returns why it was refused, at once; null when it waits. @throws RangeError for an id that waits already */
    offer(item: T, now: number): RejectReason | null {
      if (places.has(item.id)) throw new RangeError(`id ${item.id} waits already`);
      const refuse = (reason: RejectReason) => {
        tally.rejected(reason);
        return reason;
      };
      if (closed) return refuse('closed');
      if (mostOf(padded(item, padTo)) < 1) return refuse('too-large');
      if (item.deadline <= now) return refuse('expired');
      if (places.size >= maxQueue) return refuse('queue-full');
      add({ item, at: now, score: item.priority * ageingMs - now, sequence: sequence++, most: maxBatch });
      return null;
    },
    /** @returns whether it still waited */
    cancel(id: string): boolean {
      const found = places.get(id);
      if (!found) return false;
      places.delete(id);
      found.bucket.remove(found.entry);
      dropIfEmpty(found.bucket);
      tally.cancelled();
      return true;
    },
    /** Takes out what came too late to be run. */
    expire(now: number): T[] {
      const gone = [...buckets.values()].flatMap((bucket) => {
        const expired = bucket.removeExpired(now);
        dropIfEmpty(bucket);
        return expired;
      });
      for (const { item } of gone) places.delete(item.id);
      tally.expired(gone.length);
      return gone.map(({ item }) => item);
    },
    /** The next batch for an idle worker: what is full or due. Call `expire` first: what has expired is not looked for here. */
    take(now: number): Batch<T> | null {
      let best: Due<T> | null = null;
      for (const bucket of buckets.values()) {
        if (best && !goesBefore(bucket.entries[0]!, best.bucket.entries[0]!)) continue;
        const due = dueOf(bucket, now);
        if (due) best = due;
      }
      if (!best) return null;
      const { bucket, run, reason } = best;
      for (const entry of run) {
        bucket.remove(entry);
        places.delete(entry.item.id);
      }
      dropIfEmpty(bucket);
      tally.flushed(reason, run.length, mostOf(bucket.shape));
      return { items: run.map(({ item }) => item), shape: bucket.shape, reason, entries: run };
    },
    /**
     * Entries of a batch that failed as a whole wait again, where they were, in batches of at most `most`: 1 finds the one that
     * spoils the others, half the size goes easier on memory. They were let in once and are not refused now.
     */
    giveBack(entries: readonly Entry<T>[], most: number): void {
      if (!Number.isInteger(most) || most < 1) throw new RangeError(`most is ${most}: expected an integer from 1`);
      for (const entry of entries) {
        if (places.has(entry.item.id)) throw new RangeError(`id ${entry.item.id} waits already`);
        add({ ...entry, most: Math.min(entry.most, most) });
      }
    },
    /** When `expire` has something to do; Infinity for never. It does not depend on any worker. */
    nextExpiry: (): number =>
      [...buckets.values()].reduce((least, bucket) => Math.min(least, bucket.earliest()), Infinity),
    /** When an idle worker could take a batch if nothing else comes; Infinity for never. Not after `now` if it could at once. */
    nextDue(now: number): number {
      let least = Infinity;
      for (const bucket of buckets.values()) {
        const { run, full } = runOf(bucket);
        const late = bucket.earliest() - options.predictMs(run.length, bucket.shape);
        least = Math.min(least, full ? now : Math.min(late, bucket.oldest() + maxDelayMs));
      }
      return least;
    },
    /** First to go first. */
    waiting(): T[] {
      const all = [...buckets.values()].flatMap(({ entries }) => entries);
      return all.toSorted((a, b) => (goesBefore(a, b) ? -1 : 1)).map(({ item }) => item);
    },
    /** Nothing is let in any more; what waits is still to be taken or cancelled. */
    close: (): void => void (closed = true),
    size: (): number => places.size,
    stats: () => ({ queued: places.size, buckets: buckets.size, ...tally.read() }),
  };
}
export type Batcher<T extends BatchItem> = ReturnType<typeof createBatcher<T>>;
