import { randomOf } from './reference/masks.ts';
import type { GrayImage } from '../../src/inference/decode.ts';

/** Cells of every size on an uneven, noisy ground, so close that each tile border cuts some: fluorescence in 8 bits, side × side. */
export function crowdedField(side: number, seed: number): GrayImage {
  const random = randomOf(seed);
  const data = new Uint8Array(side * side);
  const bright = new Float32Array(side * side);
  const spacing = 30;
  for (let gy = 0; gy * spacing < side; gy++)
    for (let gx = 0; gx * spacing < side; gx++) {
      if (random() < 0.2) continue;
      const [cx, cy] = [(gx + random()) * spacing, (gy + random()) * spacing];
      const large = random() < 0.02 ? 2.5 : 1;
      const [rx, ry, turn, light] = [
        (6 + random() * 10) * large,
        (6 + random() * 8) * large,
        random() * 3,
        50 + random() * 130,
      ];
      const reach = Math.ceil(Math.max(rx, ry)) + 1;
      const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
      for (let y = Math.max(0, Math.floor(cy) - reach); y < Math.min(side, cy + reach); y++)
        for (let x = Math.max(0, Math.floor(cx) - reach); x < Math.min(side, cx + reach); x++) {
          const [dx, dy] = [x - cx, y - cy];
          const d = Math.sqrt(((dx * cos + dy * sin) / rx) ** 2 + ((dy * cos - dx * sin) / ry) ** 2);
          const value = light * Math.min(1, Math.max(0, (1.15 - d) * 4));
          if (value > bright[y * side + x]!) bright[y * side + x] = value;
        }
    }
  for (let at = 0; at < data.length; at++) {
    const ground = 14 + 8 * Math.sin((at % side) / 170) + random() * 9;
    data[at] = Math.min(255, ground + bright[at]! * (0.85 + 0.3 * random()));
  }
  return { width: side, height: side, data };
}

export interface Seams {
  objects: number;
  /** Objects of either image that have no equal (IoU 1, that is the same pixels) in the other. */
  changed: number;
  /** Share of the image's pixels in changed objects. */
  changedArea: number;
  /** Share of the image's pixels whose foreground is not the same. */
  differentPixels: number;
}

/** Two label images, object by object. Numbers of labels do not matter. */
export function compareLabels(a: Int32Array, b: Int32Array): Seams {
  const sizes = [new Map<number, number>(), new Map<number, number>()] as const;
  const shared = new Map<number, number>();
  const count = (map: Map<number, number>, key: number) => map.set(key, (map.get(key) ?? 0) + 1);
  const stride = b.reduce((most, label) => Math.max(most, label), 0) + 1;
  let differentPixels = 0;
  for (let i = 0; i < a.length; i++) {
    const [p, q] = [a[i]!, b[i]!];
    if (p > 0 !== q > 0) differentPixels++;
    if (p > 0) count(sizes[0], p);
    if (q > 0) count(sizes[1], q);
    if (p > 0 && q > 0) count(shared, p * stride + q);
  }
  const same = [new Set<number>(), new Set<number>()] as const;
  for (const [pair, pixels] of shared) {
    const [p, q] = [Math.floor(pair / stride), pair % stride];
    if (sizes[0].get(p) !== pixels || sizes[1].get(q) !== pixels) continue;
    same[0].add(p);
    same[1].add(q);
  }
  const changed = ([0, 1] as const).map((side) => [...sizes[side]].filter(([label]) => !same[side].has(label)));
  return {
    objects: sizes[0].size,
    changed: Math.max(...changed.map((objects) => objects.length)),
    changedArea: Math.max(...changed.map((objects) => objects.reduce((sum, [, size]) => sum + size, 0))) / a.length,
    differentPixels: differentPixels / a.length,
  };
}
