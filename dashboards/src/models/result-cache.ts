import { createLru } from './lru.ts';

/** One image's result as it came over the wire: encoded bytes, no object a polygon. */
export interface ResultView {
  imageId: string;
  bytes: Uint8Array<ArrayBuffer>;
  width: number;
  height: number;
  polygonCount: number;
  /** The model says that it was not trained on images like this one. */
  unlike: boolean;
  /** The store's mark of the completion it belongs to. */
  mark: number;
}

/** About 7,500 images of 60 cells, or 1,500 of 300: the page keeps within 60 MB however long it is scrolled. */
export const RESULT_CACHE_BYTES = 40 * 1024 * 1024;
/** Map entry, object and buffer headers of one view. */
const OVERHEAD_BYTES = 300;

/** Whether a result carries the warning of docs/own-model.md. */
export const isUnlike = (warnings: readonly string[] | undefined): boolean =>
  warnings?.includes('UNLIKE_TRAINING_DATA') ?? false;

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
