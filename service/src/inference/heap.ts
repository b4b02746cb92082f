/** Binary min-heap of pixels on typed arrays; the memory grows and is kept. */
export interface PixelHeap {
  readonly size: number;
  /** The smallest key. Only when `size > 0`. */
  readonly least: number;
  push(key: number, pixel: number): void;
  /** Removes the pixel with the smallest key. Only when `size > 0`. */
  pop(): number;
  clear(): void;
}

export function createPixelHeap(capacity = 4096): PixelHeap {
  let keys = new Float64Array(capacity);
  let pixels = new Int32Array(capacity);
  let size = 0;
  const grow = () => {
    const [oldKeys, oldPixels] = [keys, pixels];
    keys = new Float64Array(oldKeys.length * 2);
    pixels = new Int32Array(oldKeys.length * 2);
    keys.set(oldKeys);
    pixels.set(oldPixels);
  };
  return {
    get size() {
      return size;
    },
    get least() {
      return keys[0]!;
    },
    push(key, pixel) {
      if (size === keys.length) grow();
      let at = size++;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        if (keys[parent]! <= key) break;
        keys[at] = keys[parent]!;
        pixels[at] = pixels[parent]!;
        at = parent;
      }
      keys[at] = key;
      pixels[at] = pixel;
    },
    pop() {
      const top = pixels[0]!;
      size--;
      const key = keys[size]!;
      const pixel = pixels[size]!;
      let at = 0;
      for (;;) {
        let child = 2 * at + 1;
        if (child >= size) break;
        if (child + 1 < size && keys[child + 1]! < keys[child]!) child++;
        if (keys[child]! >= key) break;
        keys[at] = keys[child]!;
        pixels[at] = pixels[child]!;
        at = child;
      }
      keys[at] = key;
      pixels[at] = pixel;
      return top;
    },
    clear() {
      size = 0;
    },
  };
}
