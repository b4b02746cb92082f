import type { RasterReply, RasterRequest } from '../models/Overlays.ts';
import { drawOverlay, fit } from './draw-overlay.ts';

/** The part of `DedicatedWorkerGlobalScope` used here; the DOM's types describe a window. */
const scope = globalThis as unknown as {
  onmessage: (message: MessageEvent<RasterRequest>) => void;
  postMessage(reply: RasterReply, transfer: Transferable[]): void;
};

scope.onmessage = ({ data }) => {
  const { key, size } = data;
  try {
    const canvas = new OffscreenCanvas(size, size);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('no 2d context');
    drawOverlay(context, data.bytes, fit(data.imageWidth, data.imageHeight, size), Math.max(1, size / 160));
    const bitmap = canvas.transferToImageBitmap();
    scope.postMessage({ key, bitmap }, [bitmap]);
  } catch (cause) {
    scope.postMessage({ key, bitmap: null, error: cause instanceof Error ? cause.message : String(cause) }, []);
  }
};
