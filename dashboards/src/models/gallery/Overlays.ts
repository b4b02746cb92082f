import { createLru } from '../lru.ts';
import type { ResultView } from '../result-cache.ts';

export interface RasterRequest {
  key: string;
  bytes: Uint8Array<ArrayBuffer>;
  imageWidth: number;
  imageHeight: number;
  /** Device pixels of the square box that the picture is fitted into. */
  size: number;
}
export interface RasterReply {
  key: string;
  bitmap: ImageBitmap | null;
  /** Why there is no bitmap. */
  error?: string;
}
export interface Overlay {
  bitmap: ImageBitmap;
  mark: number;
  size: number;
}

/** Twice as many cells as a large screen shows, at most 26 KB to 400 KB each; more where a very large one has more in the page. */
const CAPACITY = 160;

/** Overlay bitmaps of visible cells, drawn in a worker so that scrolling never waits for a contour. */
export function createOverlays(options: {
  post: (requests: RasterRequest[], transfer: Transferable[]) => void;
  onReady: (imageId: string) => void;
  /** Nothing else is on its way. */
  onAll: () => void;
  /** Cells in the page now: were there no room for all of them, they would push each other out for ever. */
  inPage: () => number;
}) {
  const bitmaps = createLru<Overlay>({
    capacity: () => Math.max(CAPACITY, options.inPage()),
    dispose: (overlay) => overlay.bitmap.close(),
  });
  const pending = new Set<string>();
  let asked: RasterRequest[] = [];

  /** All that one look wants goes in one message: the worker answers for many at once, and they are painted in few frames. */
  function send(): void {
    const requests = asked;
    asked = [];
    options.post(
      requests,
      requests.map(({ bytes }) => bytes.buffer),
    );
  }
  return {
    /** The overlay of this completion at this size, or undefined. */
    get(imageId: string, mark: number, size: number): Overlay | undefined {
      const overlay = bitmaps.get(imageId);
      return overlay && overlay.mark === mark && overlay.size === size ? overlay : undefined;
    },
    /** An older result's overlay, better than nothing until the current one is here. */
    getAny: (imageId: string): Overlay | undefined => bitmaps.get(imageId),
    request(imageId: string, view: ResultView, size: number): void {
      const key = `${imageId} ${view.mark} ${size}`;
      if (pending.has(key)) return;
      pending.add(key);
      const request = { key, bytes: view.bytes.slice(), imageWidth: view.width, imageHeight: view.height, size };
      if (asked.push(request) === 1) queueMicrotask(send);
    },
    receive(replies: RasterReply[]): void {
      for (const { key, bitmap } of replies) {
        pending.delete(key);
        if (!bitmap) continue;
        const [imageId = '', mark, size] = key.split(' ');
        bitmaps.set(imageId, { bitmap, mark: Number(mark), size: Number(size) });
        options.onReady(imageId);
      }
      if (pending.size === 0) options.onAll();
    },
    stop(): void {
      pending.clear();
      bitmaps.clear();
    },
  };
}
