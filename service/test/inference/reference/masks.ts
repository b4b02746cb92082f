/** A label image to trace: 0 = background, 1..count = cells, of one or several pieces each. */
export interface Mask {
  name: string;
  width: number;
  height: number;
  labels: Int32Array;
  count: number;
}
type Random = () => number;

/** mulberry32: numbers in 0..1, the same for the same seed. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Canvas {
  readonly labels: Int32Array;
  readonly width: number;
  readonly height: number;
  count = 0;
  constructor(width: number, height: number) {
    [this.width, this.height] = [width, height];
    this.labels = new Int32Array(width * height);
  }
  set(x: number, y: number, label: number): void {
    if (x >= 0 && y >= 0 && x < this.width && y < this.height) this.labels[y * this.width + x] = label;
  }
  /** Sets every pixel whose centre the ellipse covers; `only` keeps to pixels that have that label. */
  ellipse(cx: number, cy: number, rx: number, ry: number, turn: number, label: number, only?: number): void {
    const reach = Math.ceil(Math.max(rx, ry)) + 1;
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    for (let y = Math.floor(cy) - reach; y <= cy + reach; y++)
      for (let x = Math.floor(cx) - reach; x <= cx + reach; x++) {
        if (x < 0 || y < 0 || x >= this.width || y >= this.height) continue;
        const [dx, dy] = [x + 0.5 - cx, y + 0.5 - cy];
        const inside = ((dx * cos + dy * sin) / rx) ** 2 + ((dy * cos - dx * sin) / ry) ** 2 <= 1;
        if (inside && (only === undefined || this.labels[y * this.width + x] === only)) this.set(x, y, label);
      }
  }
}

/** Each draws one scene of its kind. */
const SCENES: Record<string, (canvas: Canvas, random: Random) => void> = {
  'touching cells': (canvas, random) => {
    for (let i = 0; i < 25; i++)
      canvas.ellipse(
        random() * canvas.width,
        random() * canvas.height,
        4 + random() * 14,
        4 + random() * 14,
        random() * 3,
        ++canvas.count,
      );
  },
  holes: (canvas, random) => {
    for (let i = 0; i < 4; i++) {
      const [x, y, r] = [30 + 70 * (i % 2), 30 + 70 * Math.floor(i / 2), 16 + random() * 14];
      canvas.ellipse(x, y, r, r, 0, ++canvas.count);
      // Up to a ring one or two pixels wide, and some that break out of it.
      canvas.ellipse(x + random() * 3, y, r - 1 - random() * 8, r - 1.5 - random() * 8, random(), 0, canvas.count);
      for (let j = 0; j < 6; j++)
        canvas.set(Math.floor(x - r + random() * 2 * r), Math.floor(y - r + random() * 2 * r), 0);
    }
  },
  'holes with islands': (canvas, random) => {
    for (let i = 0; i < 4; i++) {
      const [x, y, r] = [32 + 66 * (i % 2), 32 + 66 * Math.floor(i / 2), 24 + random() * 6];
      const label = ++canvas.count;
      canvas.ellipse(x, y, r, r, 0, label);
      canvas.ellipse(x, y, r - 4, r - 4, 0, 0);
      // Of the same label, and of another, each with a hole of its own.
      const island = random() < 0.5 ? label : ++canvas.count;
      canvas.ellipse(x, y, r - 8, r - 8 - random() * 4, random(), island);
      canvas.ellipse(x, y, 3 + random() * 4, 2 + random() * 4, 0, 0);
    }
  },
  'one-pixel bridges': (canvas, random) => {
    for (let i = 0; i < 5; i++) {
      const y = 14 + 24 * i;
      const label = ++canvas.count;
      canvas.ellipse(20, y, 6 + random() * 6, 5 + random() * 5, random(), label);
      canvas.ellipse(80, y + random() * 6, 6 + random() * 10, 5 + random() * 5, random(), label);
      const lift = random() * 8 - 4;
      for (let x = 20, before = y; x <= 80; x++) {
        const at = Math.round(y + lift * Math.sin((x - 20) / 12));
        for (let step = Math.min(before, at); step <= Math.max(before, at); step++) canvas.set(x, step, label);
        before = at;
      }
    }
  },
  'border objects': (canvas, random) => {
    for (let i = 0; i < 16; i++) {
      const along = random() * canvas.width;
      const r = 5 + random() * 16;
      const [x, y] = [
        [along, 0],
        [along, canvas.height],
        [0, along],
        [canvas.width, along],
      ][i % 4] as [number, number];
      canvas.ellipse(x, y, r, 4 + random() * 12, random() * 3, ++canvas.count);
      canvas.ellipse(x, y, r / 2, 3, random() * 3, 0);
    }
  },
  'diagonal contacts': (canvas, random) => {
    for (let i = 0; i < 12; i++) {
      const [x0, y0] = [6 + 32 * (i % 4), 6 + 40 * Math.floor(i / 4)];
      const label = ++canvas.count;
      for (let step = 0; step < 5; step++) {
        const side = 1 + Math.floor(random() * 4);
        const [x, y] = [x0 + step * 5 - side + 5, y0 + step * 5 - side + 5];
        for (let dy = 0; dy < side; dy++)
          for (let dx = 0; dx < side; dx++) canvas.set(x + dx, y + dy, random() < 0.15 ? 0 : label);
        canvas.set(x + side, y + side, label);
      }
    }
  },
  tiny: (canvas, random) => {
    for (let i = 0; i < 120; i++) {
      const [x, y] = [4 + 11 * (i % 12), 4 + 11 * Math.floor(i / 12)];
      if (i % 3 === 0) canvas.set(x, y, ++canvas.count);
      else
        canvas.ellipse(
          x + random(),
          y + random(),
          0.8 + random() * 4,
          0.8 + random() * 3,
          random() * 3,
          ++canvas.count,
        );
    }
  },
  huge: (canvas, random) => {
    canvas.labels.fill(++canvas.count);
    for (let i = 0; i < 30; i++)
      canvas.ellipse(
        random() * canvas.width,
        random() * canvas.height,
        1 + random() * 8,
        1 + random() * 8,
        random(),
        random() < 0.4 ? ++canvas.count : 0,
      );
  },
  noise: (canvas, random) => {
    canvas.count = 3;
    const share = 0.4 + random() * 0.5;
    for (let y = 20; y < 60; y++)
      for (let x = 30; x < 70; x++)
        if (random() < share) canvas.set(x, y, 1 + Math.floor(random() * random() * (y < 40 ? 1 : 3)));
  },
  blobs: (canvas, random) => {
    const waves = Array.from({ length: 7 }, () => [random() * 0.35, random() * 0.35, random() * 6] as const);
    canvas.count = 2;
    for (let y = 0, at = 0; y < canvas.height; y++)
      for (let x = 0; x < canvas.width; x++, at++) {
        const height = waves.reduce((sum, [fx, fy, phase]) => sum + Math.sin(fx * x + fy * y + phase), 0);
        canvas.labels[at] = height > 0.6 ? 1 : height < -1.4 ? 2 : 0;
      }
  },
};

/** `count` scenes, in turn of every kind; the same for the same seed. */
export function generateMasks(count: number, seed: number): Mask[] {
  const kinds = Object.entries(SCENES);
  return Array.from({ length: count }, (_, i) => {
    const [kind, draw] = kinds[i % kinds.length]!;
    const canvas = new Canvas(131, 127 + (i % 5));
    draw(canvas, randomOf(seed * 1000 + i));
    return {
      name: `${kind} ${i}`,
      width: canvas.width,
      height: canvas.height,
      labels: canvas.labels,
      count: canvas.count,
    };
  });
}
