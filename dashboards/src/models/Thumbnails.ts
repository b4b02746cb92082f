import { createLru } from './lru.ts';

/** Leaves two of the browser's six connections to one host for events and results. */
const CONCURRENCY = 4;
/** 160 px squares of 4 bytes a pixel: 25 MB. */
const CAPACITY = 240;

/** Small pictures of the images that stay visible: loaded a few at a time, held as bitmaps, closed when they make room. */
export function createThumbnails<T extends { close(): void }>(options: {
  load: (imageId: string, signal: AbortSignal) => Promise<T>;
  onReady: (imageId: string) => void;
  capacity?: number;
}) {
  const bitmaps = createLru<T>({ capacity: options.capacity ?? CAPACITY, dispose: (bitmap) => bitmap.close() });
  const loading = new Map<string, AbortController>();
  /** What cannot be had is not asked for again and again. */
  const refused = new Set<string>();
  let wanted: string[] = [];

  function pump(): void {
    while (loading.size < CONCURRENCY) {
      const next = wanted.find((id) => !loading.has(id) && !refused.has(id) && bitmaps.peek(id) === undefined);
      if (next === undefined) return;
      void load(next);
    }
  }
  async function load(imageId: string): Promise<void> {
    const controller = new AbortController();
    loading.set(imageId, controller);
    try {
      const bitmap = await options.load(imageId, controller.signal);
      bitmaps.set(imageId, bitmap);
      options.onReady(imageId);
    } catch {
      // The cell keeps its average colour; that is all there is to say about a missing thumbnail.
      if (!controller.signal.aborted) refused.add(imageId);
    } finally {
      loading.delete(imageId);
      pump();
    }
  }
  return {
    get: (imageId: string): T | undefined => bitmaps.get(imageId),
    /** Replaces what is wanted, most wanted first; loads of what nobody looks at any more are cut off. */
    want(imageIds: string[]): void {
      wanted = imageIds;
      for (const [id, controller] of loading) if (!imageIds.includes(id)) controller.abort();
      pump();
    },
    stop(): void {
      wanted = [];
      for (const controller of loading.values()) controller.abort();
      bitmaps.clear();
    },
  };
}
