import type { Size, Viewport } from '../models/viewer/viewport.ts';
import { drawShapes, type ShapesStyle } from './draw-shapes.ts';
import { readShapes, type Shapes } from './shapes.ts';

/** Outlines of one level of detail come once, drawings are asked for again and again. */
export type ViewerRequest =
  /** `key`: the image's id, a space, and the level. */
  | { type: 'shapes'; key: string; bytes: Uint8Array<ArrayBuffer> }
  /** Another image is looked at: of all others nothing is needed any more. */
  | { type: 'keep'; imageId: string }
  | { type: 'draw'; turn: number; key: string; view: Viewport; stage: Size; margin: number; style: ShapesStyle };
export interface ViewerReply {
  turn: number;
  bitmap: ImageBitmap | null;
  /** Polygons that could be seen. */
  drawn: number;
  /** Why there is no bitmap. */
  error?: string;
}

/** The part of `DedicatedWorkerGlobalScope` used here; the DOM's types describe a window. */
const scope = globalThis as unknown as {
  onmessage: (message: MessageEvent<ViewerRequest>) => void;
  postMessage(reply: ViewerReply, transfer: Transferable[]): void;
};
const known = new Map<string, Shapes>();

function draw({ turn, key, view, stage, margin, style }: Extract<ViewerRequest, { type: 'draw' }>): void {
  const shapes = known.get(key);
  const side = (length: number): number => Math.max(1, Math.round(length * (1 + 2 * margin) * style.ratio));
  const canvas = new OffscreenCanvas(side(stage.width), side(stage.height));
  const context = canvas.getContext('2d');
  if (!context || !shapes) throw new Error(shapes ? 'no 2d context' : 'the outlines are not here');
  const drawn = drawShapes(context, shapes, view, stage, margin, style);
  const bitmap = canvas.transferToImageBitmap();
  scope.postMessage({ turn, bitmap, drawn }, [bitmap]);
}

/** What of it came first stays: results may be here before all is known of the image. */
function keepOnly(imageId: string): void {
  for (const key of known.keys()) if (!key.startsWith(`${imageId} `)) known.delete(key);
}

scope.onmessage = ({ data }) => {
  try {
    if (data.type === 'shapes') known.set(data.key, readShapes(data.bytes));
    else if (data.type === 'keep') keepOnly(data.imageId);
    else draw(data);
  } catch (cause) {
    const error = cause instanceof Error ? cause.message : String(cause);
    if (data.type === 'draw') scope.postMessage({ turn: data.turn, bitmap: null, drawn: 0, error }, []);
  }
};
