/** What waits for a batch. Sides in pixels, times in ms of one clock, whichever. */
export interface BatchItem {
  id: string;
  width: number;
  height: number;
  /** Higher goes first; see `ageingMs`. */
  priority: number;
  /** When its answer is worth nothing any more; Infinity for never. */
  deadline: number;
  /** What may not share a batch with others, such as another model. */
  group?: string;
}
/** Sides after padding: images of one shape fit into one tensor. */
export interface Shape {
  width: number;
  height: number;
}
export interface Entry<T extends BatchItem> {
  item: T;
  /** When it came, also after it was given back. */
  at: number;
  /** Who is first: priority plus what was waited. Both grow alike with time, so it is a constant. */
  score: number;
  /** Order of coming, which decides between equal scores. */
  sequence: number;
  /** Largest batch that it may be part of. */
  most: number;
}

export const padded = ({ width, height }: Shape, to: number): Shape => ({
  width: Math.ceil(width / to) * to,
  height: Math.ceil(height / to) * to,
});
export const goesBefore = <T extends BatchItem>(a: Entry<T>, b: Entry<T>): boolean =>
  a.score === b.score ? a.sequence < b.sequence : a.score > b.score;

/** Entries of one shape, first to go first. */
export function createBucket<T extends BatchItem>(key: string, shape: Shape) {
  const entries: Entry<T>[] = [];
  /** Kept while it holds, and looked for anew when the entry that had it leaves. */
  let [earliest, oldest] = [Infinity, Infinity];

  function placeOf(entry: Entry<T>): number {
    let [low, high] = [0, entries.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (goesBefore(entries[middle]!, entry)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  function left(gone: readonly Entry<T>[]): void {
    if (gone.some(({ item }) => item.deadline <= earliest))
      earliest = entries.reduce((least, { item }) => Math.min(least, item.deadline), Infinity);
    if (gone.some(({ at }) => at <= oldest)) oldest = entries.reduce((least, { at }) => Math.min(least, at), Infinity);
  }
  return {
    key,
    shape,
    entries: entries as readonly Entry<T>[],
    /** Earliest deadline of all that wait. */
    earliest: () => earliest,
    /** When the one came that waits longest. */
    oldest: () => oldest,
    add(entry: Entry<T>): void {
      entries.splice(placeOf(entry), 0, entry);
      earliest = Math.min(earliest, entry.item.deadline);
      oldest = Math.min(oldest, entry.at);
    },
    remove(entry: Entry<T>): void {
      entries.splice(placeOf(entry), 1);
      left([entry]);
    },
    /** Removes all that were not worth running at this time. */
    removeExpired(now: number): Entry<T>[] {
      if (earliest > now) return [];
      const gone = entries.filter(({ item }) => item.deadline <= now);
      const kept = entries.filter(({ item }) => item.deadline > now);
      entries.splice(0, entries.length, ...kept);
      left(gone);
      return gone;
    },
  };
}
export type Bucket<T extends BatchItem> = ReturnType<typeof createBucket<T>>;
