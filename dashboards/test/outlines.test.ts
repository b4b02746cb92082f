import { describe, expect, it } from 'vitest';
import { encodePolygons } from '#contract/polygons-format.ts';
import type { Polygon } from '#contract/results.ts';
import { drawOutlines, fit } from '../src/raster/outlines.ts';

const SIZE = 40;
/** Samples a side of a pixel. */
const FINE = 16;

const polygon = (points: number[], more: Partial<Polygon> = {}): Polygon => ({
  id: 1,
  type: 'external',
  parentId: null,
  confidence: 1,
  area: 1,
  bbox: [0, 0, 0, 0],
  points,
  ...more,
});
const circle = (x: number, y: number, radius: number, corners = 24): number[] =>
  Array.from({ length: corners }, (_, i) => {
    const angle = (2 * Math.PI * i) / corners;
    return [Math.round(x + radius * Math.cos(angle)), Math.round(y + radius * Math.sin(angle))];
  }).flat();
const draw = (polygons: Polygon[], lineWidth = 1, place = { scale: 1, x: 0, y: 0 }) =>
  drawOutlines(encodePolygons(polygons), SIZE, place, lineWidth);

type Edge = [number, number, number, number];
const edgesOf = (points: number[]): Edge[] =>
  Array.from({ length: points.length / 2 }, (_, i) => {
    const next = (2 * i + 2) % points.length;
    return [points[2 * i]!, points[2 * i + 1]!, points[next]!, points[next + 1]!];
  });
const isInside = (edges: Edge[], x: number, y: number): boolean =>
  edges.filter(([ax, ay, bx, by]) => ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)).length % 2 === 1;
const distanceTo = ([ax, ay, bx, by]: Edge, x: number, y: number): number => {
  const squared = (bx - ax) ** 2 + (by - ay) ** 2;
  const along = squared === 0 ? 0 : ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / squared;
  const t = Math.min(1, Math.max(0, along));
  return Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay));
};
/** Alpha of one polygon by the definition: many samples a pixel, on the line or else inside. */
function sampled(points: number[], lineWidth: number): number[] {
  const edges = edgesOf(points);
  return Array.from({ length: SIZE * SIZE }, (_, at) => {
    let sum = 0;
    for (let sample = 0; sample < FINE * FINE; sample++) {
      const x = (at % SIZE) + ((sample % FINE) + 0.5) / FINE;
      const y = Math.floor(at / SIZE) + (Math.floor(sample / FINE) + 0.5) / FINE;
      if (edges.some((edge) => distanceTo(edge, x, y) <= lineWidth / 2)) sum += 255;
      else if (isInside(edges, x, y)) sum += 255 * 0.22;
    }
    return sum / FINE ** 2;
  });
}
const alphasOf = (pixels: Uint8ClampedArray): number[] =>
  Array.from({ length: SIZE * SIZE }, (_, at) => pixels[at * 4 + 3]!);

describe('drawOutlines', () => {
  it.each([
    ['a circle', circle(20, 20, 12), 1],
    ['a wide line', circle(20, 20, 12), 3],
    ['a long thin one, aslant', [3, 5, 36, 30, 33, 34, 2, 9], 1],
    ['one that is hollow on one side', [5, 5, 35, 5, 35, 35, 20, 12, 5, 35], 1],
    ['one that crosses itself', [6, 6, 34, 34, 34, 6, 6, 34], 1],
    ['one that reaches beyond the picture on all sides', [-20, 15, 18, -30, 70, 20, 20, 80], 2],
    ['a dot', [20, 20], 4],
    ['a stroke', [10, 10, 30, 14], 1],
  ])('is what many samples a pixel say: %s', (_name, points, lineWidth) => {
    const [drawn, meant] = [alphasOf(draw([polygon(points)], lineWidth)), sampled(points, lineWidth)];
    const off = drawn.map((alpha, at) => Math.abs(alpha - meant[at]!));
    expect(off.reduce((sum, each) => sum + each, 0) / meant.reduce((sum, each) => sum + each, 0)).toBeLessThan(0.12);
    // A pixel's middle stands for all of it.
    expect(Math.max(...off)).toBeLessThan(0.4 * 255);
  });

  it('is of one colour, whatever lies above each other', () => {
    const pixels = draw([polygon(circle(15, 20, 10)), polygon(circle(24, 20, 10), { id: 2 })]);
    const colours = Array.from({ length: SIZE * SIZE }, (_, at) => [...pixels.subarray(at * 4, at * 4 + 4)]);
    const other = colours.filter(
      ([red, green, blue, alpha]) => alpha! > 0 && `${red} ${green} ${blue}` !== '63 224 197',
    );
    expect(other).toEqual([]);
    const alpha = (x: number, y: number): number => pixels[(y * SIZE + x) * 4 + 3]!;
    expect([alpha(8, 20), alpha(19, 20), alpha(30, 20), alpha(38, 38)]).toEqual([56, 99, 56, 0]);
  });

  it('cuts holes out, and draws their outlines', () => {
    const hole = polygon(circle(20, 20, 6), { id: 2, type: 'internal', parentId: 1 });
    const pixels = draw([polygon(circle(20, 20, 14)), hole]);
    const alpha = (x: number, y: number): number => pixels[(y * SIZE + x) * 4 + 3]!;
    expect([alpha(20, 20), alpha(20, 10)]).toEqual([0, 56]);
    expect(alpha(25, 20)).toBeGreaterThan(120);
  });

  it('lies where the thumbnail lies', () => {
    const place = fit(200, 100, SIZE);
    expect(place).toEqual({ scale: 0.2, x: 0, y: 10 });
    const pixels = draw([polygon([0, 0, 200, 0, 200, 100, 0, 100])], 1, place);
    const filled = (y: number): boolean => pixels[(y * SIZE + 20) * 4 + 3]! > 0;
    expect([8, 9, 15, 30, 31].map(filled)).toEqual([false, true, true, true, false]);
  });

  it('draws nothing of nothing, and refuses what is cut', () => {
    expect(alphasOf(draw([])).every((alpha) => alpha === 0)).toBe(true);
    expect(alphasOf(draw([polygon([])])).every((alpha) => alpha === 0)).toBe(true);
    const bytes = encodePolygons([polygon(circle(20, 20, 12))]);
    expect(() => drawOutlines(bytes.subarray(0, -1), SIZE, fit(40, 40, SIZE), 1)).toThrow(RangeError);
  });
});
