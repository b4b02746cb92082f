import { partsIn, type Part } from './part-grid.ts';
import type { Box, Size } from './viewport.ts';

/** Parts that are held: of 4 MB each as bitmaps, 128 MB. A screen of 2560 × 1440 shows 24 at most. */
export const PARTS_HELD = 32;
/** Requests at a time: as many as the service has processes that draw, and one that waits. */
const AT_ONCE = 3;

export interface PlacedPart<T> {
  part: Part;
  picture: T;
}

/**
 * The picture of one image at full resolution, where it is looked at: what lies in view is loaded, from the middle outwards, and what has
 * left it is called off. What was seen last stays, within a bound.
 */
export function createParts<T extends { close(): void }>(deps: {
  image: Size;
  load: (part: Part, signal: AbortSignal) => Promise<T>;
  /** One more is here. */
  onPart: (placed: PlacedPart<T>) => void;
  onFailed: (cause: unknown) => void;
  /** Whether some of what is in view is still to come. */
  onWaiting: (waiting: boolean) => void;
}) {
  const { image } = deps;
  /** The one that was in view last, last. */
  const held = new Map<string, PlacedPart<T>>();
  const loading = new Map<string, AbortController>();
  const failed = new Set<string>();
  let wanted: readonly Part[] = [];
  let stopped = false;

  const isMissing = ({ key }: Part): boolean => !held.has(key) && !failed.has(key);
  function next(): void {
    if (stopped) return;
    for (const part of wanted) if (loading.size < AT_ONCE && isMissing(part) && !loading.has(part.key)) void load(part);
    deps.onWaiting(wanted.some(isMissing));
  }
  async function load(part: Part): Promise<void> {
    const abort = new AbortController();
    loading.set(part.key, abort);
    try {
      const picture = await deps.load(part, abort.signal);
      if (abort.signal.aborted) picture.close();
      else keep({ part, picture });
    } catch (cause) {
      if (!abort.signal.aborted) {
        failed.add(part.key);
        deps.onFailed(cause);
      }
    } finally {
      loading.delete(part.key);
      next();
    }
  }
  function keep(placed: PlacedPart<T>): void {
    held.set(placed.part.key, placed);
    for (const [key, oldest] of held) {
      if (held.size <= PARTS_HELD) break;
      held.delete(key);
      oldest.picture.close();
    }
    deps.onPart(placed);
  }
  return {
    /** Those that are here, the coarsest first: finer ones belong over them. */
    held: (): PlacedPart<T>[] => [...held.values()].sort((a, b) => b.part.reduction - a.part.reduction),
    /** What is in view now. What failed before is tried again. @param scale device pixels for a pixel of the image */
    need(box: Box, scale: number): void {
      wanted = partsIn(image, box, scale).slice(0, PARTS_HELD);
      failed.clear();
      const keys = new Set(wanted.map(({ key }) => key));
      for (const [key, abort] of loading) if (!keys.has(key)) abort.abort();
      for (const { key } of wanted.toReversed()) {
        const placed = held.get(key);
        if (!placed) continue;
        held.delete(key);
        held.set(key, placed);
      }
      next();
    },
    stop(): void {
      stopped = true;
      for (const abort of loading.values()) abort.abort();
      for (const { picture } of held.values()) picture.close();
      held.clear();
    },
  };
}
export type Parts<T extends { close(): void }> = ReturnType<typeof createParts<T>>;
