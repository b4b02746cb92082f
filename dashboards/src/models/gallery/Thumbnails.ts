import { createLru } from '../lru.ts';

/** Leaves two of the browser's six connections to one host for events and results. */
const CONCURRENCY = 4;
/** What the service gives in one answer. */
const MANY = 64;
/** 160 px squares of 4 bytes a pixel: 25 MB; more where a very large screen shows more at once. */
const CAPACITY = 240;

export interface ThumbnailSource<T> {
  /** Those of them that are drawn already. */
  many: (imageIds: readonly string[], signal: AbortSignal) => Promise<ReadonlyMap<string, T>>;
  /** Drawn for this. */
  one: (imageId: string, signal: AbortSignal) => Promise<T>;
}

/** Small pictures of the images that stay visible: loaded a few at a time, held as bitmaps, closed when they make room. */
export function createThumbnails<T extends { close(): void }>(options: {
  source: ThumbnailSource<T>;
  onReady: (imageId: string) => void;
  capacity?: number;
}) {
  const { source, onReady, capacity = CAPACITY } = options;
  let wanted: string[] = [];
  const bitmaps = createLru<T>({
    capacity: () => Math.max(capacity, wanted.length),
    dispose: (bitmap) => bitmap.close(),
  });
  const requests = new Map<AbortController, readonly string[]>();
  /** Not among those that are drawn already: asked for alone. */
  const undrawn = new Set<string>();
  /** What cannot be had is not asked for again and again. */
  const refused = new Set<string>();

  function pump(): void {
    while (requests.size < CONCURRENCY) {
      const asked = new Set([...requests.values()].flat());
      const missing = wanted.filter((id) => !asked.has(id) && !refused.has(id) && bitmaps.peek(id) === undefined);
      const drawn = missing.filter((id) => !undrawn.has(id)).slice(0, MANY);
      if (missing.length === 0) return;
      void (drawn.length > 0 ? loadMany(drawn) : loadOne(missing[0]!));
    }
  }
  async function load(imageIds: readonly string[], work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const controller = new AbortController();
    requests.set(controller, imageIds);
    await work(controller.signal);
    requests.delete(controller);
    pump();
  }
  function keep(imageId: string, bitmap: T): void {
    undrawn.delete(imageId);
    bitmaps.set(imageId, bitmap);
    onReady(imageId);
  }
  const loadMany = (imageIds: readonly string[]): Promise<void> =>
    load(imageIds, async (signal) => {
      const found = await source.many(imageIds, signal).catch((): ReadonlyMap<string, T> => new Map());
      if (!signal.aborted) for (const id of imageIds) if (!found.has(id)) undrawn.add(id);
      for (const [id, bitmap] of found) keep(id, bitmap);
    });
  const loadOne = (imageId: string): Promise<void> =>
    load([imageId], async (signal) => {
      try {
        keep(imageId, await source.one(imageId, signal));
      } catch {
        // The cell keeps its average colour; that is all there is to say about a missing thumbnail.
        if (!signal.aborted) refused.add(imageId);
      }
    });
  return {
    get: (imageId: string): T | undefined => bitmaps.get(imageId),
    /** Replaces what is wanted, most wanted first; loads of what nobody looks at any more are cut off. */
    want(imageIds: string[]): void {
      wanted = imageIds;
      const isWanted = new Set(imageIds);
      for (const [controller, asked] of requests) if (!asked.some((id) => isWanted.has(id))) controller.abort();
      pump();
    },
    stop(): void {
      wanted = [];
      for (const controller of requests.keys()) controller.abort();
      bitmaps.clear();
    },
  };
}
