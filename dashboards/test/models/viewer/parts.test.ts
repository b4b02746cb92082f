import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PART_PX, partsIn, reductionFor, type Part } from '../../../src/models/viewer/part-grid.ts';
import { createParts, PARTS_HELD } from '../../../src/models/viewer/Parts.ts';
import { seenBox, type Box } from '../../../src/models/viewer/viewport.ts';

const image = { width: 8000, height: 6000 };
const stage = { width: 1000, height: 700 };
const settle = async () => {
  for (let i = 0; i < 40; i++) await new Promise<void>((resolve) => setImmediate(resolve));
};

describe('parts of a picture', () => {
  it('are none while a level is as sharp as the screen, and of an image that one level holds', () => {
    const all: Box = [0, 0, 8000, 6000];
    expect(partsIn(image, all, 2048 / 8000)).toEqual([]);
    expect(partsIn({ width: 4096, height: 4096 }, all, 8)).toEqual([]);
    expect(partsIn(image, all, 0.3).length).toBeGreaterThan(0);
  });

  it('are as sharp as the screen needs, and no finer than twice that or than the service cuts them', () => {
    expect([8, 1, 0.9, 0.51, 0.5, 0.3, 0.25, 0.1].map(reductionFor)).toEqual([1, 1, 1, 1, 2, 2, 4, 4]);
  });

  it('cover what is seen, lie within the image, and are none that is not seen', () => {
    const side = fc.integer({ min: 1, max: 70_000 });
    const views = fc.record({
      scale: fc.double({ min: 0.03, max: 32, noNaN: true }),
      left: fc.double({ min: 0, max: 0.99, noNaN: true }),
      top: fc.double({ min: 0, max: 0.99, noNaN: true }),
    });
    fc.assert(
      fc.property(side, side, views, (width, height, { scale, left, top }) => {
        const of = { width, height };
        const [x, y] = [-left * width * scale, -top * height * scale];
        const box = seenBox({ scale, x, y }, stage);
        const parts = partsIn(of, box, scale);
        const [l, t] = [Math.max(0, box[0]), Math.max(0, box[1])];
        const [r, b] = [Math.min(width, box[2]), Math.min(height, box[3])];
        const isIn = ({ left: from, top: at, width: w, height: h, reduction }: Part) =>
          Number.isInteger(from) &&
          from + w <= width &&
          at + h <= height &&
          w >= 1 &&
          h >= 1 &&
          w <= PART_PX * reduction &&
          h <= PART_PX * reduction &&
          from < r &&
          from + w > l &&
          at < b &&
          at + h > t;
        expect(parts.filter((part) => !isIn(part))).toEqual([]);
        expect(new Set(parts.map(({ key }) => key)).size).toBe(parts.length);
        const covered = parts.reduce(
          (sum, part) =>
            sum +
            (Math.min(r, part.left + part.width) - Math.max(l, part.left)) *
              (Math.min(b, part.top + part.height) - Math.max(t, part.top)),
          0,
        );
        const whole = parts.length === 0 ? 0 : (r - l) * (b - t);
        expect(Math.abs(covered - whole)).toBeLessThanOrEqual(1e-6 * whole + 1e-6);
      }),
    );
  });

  it('come from the middle outwards', () => {
    const parts = partsIn(image, [0, 0, 3000, 3000], 1);
    expect(parts[0]).toMatchObject({ left: 1024, top: 1024 });
    expect(parts.slice(-4).map(({ left, top }) => [left % 2048, top % 2048])).toEqual(Array(4).fill([0, 0]));
  });
});

describe('createParts', () => {
  function setUp(load?: (part: Part, signal: AbortSignal) => Promise<void>) {
    const asked: string[] = [];
    const closed: string[] = [];
    const failures: unknown[] = [];
    let waiting = false;
    let running = 0;
    let most = 0;
    const parts = createParts({
      image,
      async load(part, signal) {
        asked.push(part.key);
        most = Math.max(most, ++running);
        try {
          await (load?.(part, signal) ?? new Promise<void>((resolve) => setImmediate(resolve)));
        } finally {
          running--;
        }
        return { close: () => void closed.push(part.key) };
      },
      onPart: () => {},
      onFailed: (cause) => failures.push(cause),
      onWaiting: (on) => (waiting = on),
    });
    return { parts, asked, closed, failures, waiting: () => waiting, most: () => most };
  }
  const at = (left: number, top: number): Box => [left, top, left + 1500, top + 1500];

  it('loads what is in view, a few at a time, and once', async () => {
    const { parts, asked, waiting, most } = setUp();
    parts.need(at(0, 0), 1);
    expect(waiting()).toBe(true);
    await settle();
    expect([asked.toSorted(), most(), waiting()]).toEqual([['1/0/0', '1/0/1024', '1/1024/0', '1/1024/1024'], 3, false]);
    parts.need(at(100, 0), 1);
    await settle();
    expect(asked).toHaveLength(4);
    parts.need(at(0, 0), 0.1);
    expect([waiting(), asked.length, parts.held().length]).toEqual([false, 4, 4]);
  });

  it('holds a bounded number, those seen last, and closes each that leaves', async () => {
    const { parts, asked, closed } = setUp();
    for (let left = 0; left < 6500; left += 1024)
      for (let top = 0; top < 4500; top += 1024) {
        parts.need(at(left, top), 1);
        await settle();
        expect(parts.held().length).toBeLessThanOrEqual(PARTS_HELD);
      }
    const held = parts.held().map(({ part }) => part.key);
    expect(held).toHaveLength(PARTS_HELD);
    expect([...held, ...closed].toSorted()).toEqual(asked.toSorted());
    expect(held).toContain('1/7168/5120');
    parts.stop();
    expect(closed.toSorted()).toEqual(asked.toSorted());
  });

  it('calls off what has left the view, and asks again when it is back', async () => {
    const off: string[] = [];
    const { parts, asked, failures, waiting } = setUp(
      ({ key }, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            off.push(key);
            reject(new Error('called off'));
          });
        }),
    );
    parts.need(at(0, 0), 1);
    parts.need(at(4096, 3072), 1);
    await settle();
    expect(off).toHaveLength(3);
    expect(asked.slice(3).every((key) => /^1\/(4096|5120)\//.test(key))).toBe(true);
    parts.need(at(0, 0), 1);
    await settle();
    expect(asked.slice(6)).toEqual(asked.slice(0, 3));
    expect([failures, waiting()]).toEqual([[], true]);
    parts.stop();
  });

  it('tells of what failed, waits for it no longer, and tries it again once the view has moved', async () => {
    let broken = true;
    const { parts, asked, failures, waiting } = setUp(async () => {
      if (broken) throw new Error('busy');
    });
    parts.need([0, 0, 500, 500], 1);
    await settle();
    expect([asked, failures.length, waiting(), parts.held()]).toEqual([['1/0/0'], 1, false, []]);
    broken = false;
    parts.need([0, 0, 501, 500], 1);
    await settle();
    expect(parts.held()).toHaveLength(1);
  });

  it('puts finer parts over coarser ones', async () => {
    const { parts } = setUp();
    parts.need([0, 0, 500, 500], 1);
    await settle();
    parts.need([0, 0, 500, 500], 0.3);
    await settle();
    expect(parts.held().map(({ part }) => part.key)).toEqual(['2/0/0', '1/0/0']);
  });
});
