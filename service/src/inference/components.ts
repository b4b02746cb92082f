/**
 * 4-connected components of non-zero pixels (scipy's default structure), numbered 1..n in the order of their first pixel.
 * Components under `minArea` pixels are removed (0). @param stack scratch, at least one entry a pixel.
 * @returns the highest label given; removed components leave no gaps.
 */
export function labelComponents(
  mask: Uint8Array,
  width: number,
  height: number,
  labels: Int32Array,
  stack: Int32Array,
  minArea: number,
): number {
  const size = width * height;
  labels.fill(0, 0, size);
  let next = 0;
  for (let start = 0; start < size; start++) {
    if (mask[start] === 0 || labels[start] !== 0) continue;
    // The stack is never popped below `read`: it keeps the whole component, so that a small one can be taken back.
    let read = 0;
    let count = 0;
    next++;
    labels[start] = next;
    stack[count++] = start;
    while (read < count) {
      const at = stack[read++]!;
      const x = at % width;
      if (x > 0 && mask[at - 1] !== 0 && labels[at - 1] === 0) labels[(stack[count++] = at - 1)] = next;
      if (x < width - 1 && mask[at + 1] !== 0 && labels[at + 1] === 0) labels[(stack[count++] = at + 1)] = next;
      if (at >= width && mask[at - width] !== 0 && labels[at - width] === 0)
        labels[(stack[count++] = at - width)] = next;
      if (at < size - width && mask[at + width] !== 0 && labels[at + width] === 0)
        labels[(stack[count++] = at + width)] = next;
    }
    if (count >= minArea) continue;
    for (let i = 0; i < count; i++) labels[stack[i]!] = -1;
    next--;
  }
  for (let i = 0; i < size; i++) if (labels[i]! < 0) labels[i] = 0;
  return next;
}

/**
 * Sets every background pixel of `mask` that no 4-connected way joins to the border (scipy's binary_fill_holes).
 * Holes of `keepFrom` pixels and more stay open.
 */
export function fillHoles(
  mask: Uint8Array,
  width: number,
  height: number,
  stack: Int32Array,
  keepFrom = Number.POSITIVE_INFINITY,
): void {
  const size = width * height;
  // 2 marks background already visited; the passes at the end bring it back to 0.
  const flood = (start: number): number => {
    let read = 0;
    let count = 0;
    mask[start] = 2;
    stack[count++] = start;
    while (read < count) {
      const at = stack[read++]!;
      const x = at % width;
      if (x > 0 && mask[at - 1] === 0) mask[(stack[count++] = at - 1)] = 2;
      if (x < width - 1 && mask[at + 1] === 0) mask[(stack[count++] = at + 1)] = 2;
      if (at >= width && mask[at - width] === 0) mask[(stack[count++] = at - width)] = 2;
      if (at < size - width && mask[at + width] === 0) mask[(stack[count++] = at + width)] = 2;
    }
    return count;
  };
  for (let x = 0; x < width; x++) {
    if (mask[x] === 0) flood(x);
    if (mask[size - 1 - x] === 0) flood(size - 1 - x);
  }
  for (let y = 0; y < height; y++) {
    if (mask[y * width] === 0) flood(y * width);
    if (mask[y * width + width - 1] === 0) flood(y * width + width - 1);
  }
  for (let at = 0; at < size; at++) {
    if (mask[at] !== 0) continue;
    const area = flood(at);
    if (area < keepFrom) for (let i = 0; i < area; i++) mask[stack[i]!] = 1;
  }
  for (let at = 0; at < size; at++) if (mask[at] === 2) mask[at] = 0;
}
