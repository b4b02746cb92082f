import { createPixelHeap, type PixelHeap } from './heap.ts';
import type { Probabilities } from './probabilities.ts';

/** Planes of one image at a time, kept from image to image and grown when one is larger. Contents are left over. */
export interface Workspace extends Probabilities {
  mask: Uint8Array;
  labels: Int32Array;
  stack: Int32Array;
  heap: PixelHeap;
}

/** Above this many pixels planes are not kept: one huge image must not pin 17 bytes a pixel for ever. */
const KEPT_PIXELS = 8_000_000;

export function createWorkspaces(): (pixels: number) => Workspace {
  const heap = createPixelHeap();
  let kept = allocate(0, heap);
  return (pixels) => {
    if (pixels <= kept.mask.length) return kept;
    const fresh = allocate(pixels, heap);
    if (pixels <= KEPT_PIXELS) kept = fresh;
    return fresh;
  };
}

function allocate(pixels: number, heap: PixelHeap): Workspace {
  return {
    interior: new Float32Array(pixels),
    foreground: new Float32Array(pixels),
    mask: new Uint8Array(pixels),
    labels: new Int32Array(pixels),
    stack: new Int32Array(pixels),
    heap,
  };
}
