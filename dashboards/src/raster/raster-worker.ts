import type { RasterReply, RasterRequest } from '../models/gallery/Overlays.ts';
import { drawOverlay, fit } from './draw-overlay.ts';

/** The part of `DedicatedWorkerGlobalScope` used here; the DOM's types describe a window. */
const scope = globalThis as unknown as {
  onmessage: (message: MessageEvent<RasterRequest[]>) => void;
  postMessage(replies: RasterReply[], transfer: Transferable[]): void;
};

/** Of many outlines those that are drawn are shown meanwhile; for each of them a frame would take longer than drawing it. */
const REPLY_MS = 50;

scope.onmessage = ({ data: requests }) => {
  let replies: RasterReply[] = [];
  let since = performance.now();
  function reply(): void {
    scope.postMessage(
      replies,
      replies.flatMap(({ bitmap }) => bitmap ?? []),
    );
    replies = [];
    since = performance.now();
  }
  for (const request of requests) {
    replies.push(draw(request));
    if (performance.now() - since >= REPLY_MS) reply();
  }
  if (replies.length > 0) reply();
};

function draw({ key, size, bytes, imageWidth, imageHeight }: RasterRequest): RasterReply {
  try {
    const canvas = new OffscreenCanvas(size, size);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no 2d context');
    drawOverlay(context, bytes, fit(imageWidth, imageHeight, size), Math.max(1, size / 160));
    return { key, bitmap: canvas.transferToImageBitmap() };
  } catch (cause) {
    return { key, bitmap: null, error: cause instanceof Error ? cause.message : String(cause) };
  }
}
