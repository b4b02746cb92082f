import type { RasterReply, RasterRequest } from '../models/gallery/Overlays.ts';
import { drawOutlines, fit } from './outlines.ts';

/** The part of `DedicatedWorkerGlobalScope` used here; the DOM's types describe a window. */
const scope = globalThis as unknown as {
  onmessage: (message: MessageEvent<RasterRequest[]>) => void;
  postMessage(replies: RasterReply[], transfer: Transferable[]): void;
};

/** Of many outlines those that are drawn are shown meanwhile; for each of them a frame would take longer than drawing it. */
const REPLY_MS = 100;

scope.onmessage = ({ data: requests }) => {
  let drawn: Promise<RasterReply>[] = [];
  let since = performance.now();
  for (const [n, request] of requests.entries()) {
    drawn.push(draw(request));
    if (n < requests.length - 1 && performance.now() - since < REPLY_MS) continue;
    void reply(drawn);
    drawn = [];
    since = performance.now();
  }
};

async function reply(drawn: Promise<RasterReply>[]): Promise<void> {
  const replies = await Promise.all(drawn);
  scope.postMessage(
    replies,
    replies.flatMap(({ bitmap }) => bitmap ?? []),
  );
}

async function draw({ key, size, bytes, imageWidth, imageHeight }: RasterRequest): Promise<RasterReply> {
  try {
    const pixels = drawOutlines(bytes, size, fit(imageWidth, imageHeight, size), Math.max(1, size / 160));
    return { key, bitmap: await createImageBitmap(new ImageData(pixels, size, size)) };
  } catch (cause) {
    return { key, bitmap: null, error: cause instanceof Error ? cause.message : String(cause) };
  }
}
