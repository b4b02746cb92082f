import { createLru } from './lru.ts';

/** One image's result as it came over the wire: encoded bytes, no object a polygon. */
export interface ResultView {
  imageId: string;
  bytes: Uint8Array<ArrayBuffer>;
  width: number;
  height: number;
  polygonCount: number;
  /** The store's mark of the completion it belongs to. */
  mark: number;
}

/** About 12,000 images of 60 cells; far below the page's memory budget of 500 MB. */
export const RESULT_CACHE_BYTES = 64 * 1024 * 1024;
/** Map entry, object and buffer headers of one view. */
const OVERHEAD_BYTES = 300;

export type ResultCache = ReturnType<typeof createResultCache>;

export function createResultCache(onLeave: (view: ResultView) => void, capacityBytes = RESULT_CACHE_BYTES) {
  const views = createLru<ResultView>({
    capacity: capacityBytes,
    weigh: (view) => view.bytes.byteLength + OVERHEAD_BYTES,
    dispose: onLeave,
  });
  return {
    get: (imageId: string): ResultView | undefined => views.get(imageId),
    peek: (imageId: string): ResultView | undefined => views.peek(imageId),
    set: (imageId: string, view: ResultView): void => views.set(imageId, view),
    clear: (): void => views.clear(),
    /** True while another page of results would not push out what was fetched just before. */
    hasRoom: (bytes: number): boolean => views.weight + bytes <= capacityBytes,
    get bytes() {
      return views.weight;
    },
  };
}
