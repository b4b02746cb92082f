type Ring = ArrayLike<number>;
/** Columns left..right and rows top..bottom, the ends excluded. */
export interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export function boxOf(rings: readonly Ring[], width = Infinity, height = Infinity): Box {
  const box = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (const ring of rings)
    for (let i = 0; i < ring.length; i += 2) {
      box.left = Math.min(box.left, Math.floor(ring[i]!));
      box.right = Math.max(box.right, Math.ceil(ring[i]!));
      box.top = Math.min(box.top, Math.floor(ring[i + 1]!));
      box.bottom = Math.max(box.bottom, Math.ceil(ring[i + 1]!));
    }
  const left = Math.max(0, box.left);
  const top = Math.max(0, box.top);
  return {
    left,
    top,
    right: Math.max(left, Math.min(width, box.right)),
    bottom: Math.max(top, Math.min(height, box.bottom)),
  };
}

/**
 * Even-odd coverage of all rings together at pixel centres: every edge toggles the first pixel to its right in each row
 * that it crosses, and the running parity along a row is the answer. No sorting, no list of crossings.
 * @returns one byte a pixel of the box, `right - left + 1` a row; the last column of a row is not a pixel
 */
export function coverage(rings: readonly Ring[], box: Box): Uint8Array {
  return marked(
    rings.map((ring) => ({ ring, bit: 1 })),
    box,
  );
}

/** As `coverage`, for several sets of rings at once: each bit is one set. */
function marked(rings: readonly { ring: Ring; bit: number }[], box: Box): Uint8Array {
  const stride = box.right - box.left + 1;
  const parity = new Uint8Array(stride * (box.bottom - box.top));
  for (const { ring, bit } of rings) {
    let px = ring[ring.length - 2]!;
    let py = ring[ring.length - 1]!;
    for (let i = 0; i < ring.length; i += 2) {
      const x = ring[i]!;
      const y = ring[i + 1]!;
      if (y !== py) toggle(parity, bit, stride, box, px, py, x, y);
      px = x;
      py = y;
    }
  }
  for (let at = 0; at < parity.length; at += stride)
    for (let i = at + 1; i < at + stride; i++) parity[i]! ^= parity[i - 1]!;
  return parity;
}

function toggle(
  parity: Uint8Array,
  bit: number,
  stride: number,
  box: Box,
  x0: number,
  y0: number,
  x1: number,
  y1: number,
): void {
  const slope = (x1 - x0) / (y1 - y0);
  const first = Math.max(box.top, Math.ceil(Math.min(y0, y1) - 0.5));
  const last = Math.min(box.bottom, Math.ceil(Math.max(y0, y1) - 0.5));
  for (let y = first; y < last; y++) {
    const column = Math.ceil(x0 + (y + 0.5 - y0) * slope - 0.5);
    const inBox = Math.min(box.right, Math.max(box.left, column)) - box.left;
    parity[(y - box.top) * stride + inBox]! ^= bit;
  }
}

/** Pixels that `outline` covers and `truth` does not, and the other way round. */
export function differenceOf(outline: Ring, truth: Ring): { gained: number; lost: number } {
  const box = boxOf([outline, truth]);
  const covered = marked(
    [
      { ring: outline, bit: 1 },
      { ring: truth, bit: 2 },
    ],
    box,
  );
  let [gained, lost] = [0, 0];
  for (let i = 0; i < covered.length; i++) {
    if (covered[i] === 1) gained++;
    else if (covered[i] === 2) lost++;
  }
  return { gained, lost };
}
