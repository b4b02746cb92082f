import { describe, expect, it } from 'vitest';
import type { Polygon } from '../../src/contract/results.ts';
import { simplifyForLod } from '../../src/results/lod.ts';

const circle: Polygon = {
  id: 1,
  type: 'external',
  parentId: null,
  points: Array.from({ length: 120 }, (_, i) => [
    Math.round(200 + 80 * Math.cos((i * Math.PI) / 60)),
    Math.round(200 + 80 * Math.sin((i * Math.PI) / 60)),
  ]).flat(),
  area: 20_106,
  bbox: [120, 120, 160, 160],
  confidence: 0.9,
};

describe('simplifyForLod', () => {
  it('returns what is stored, untouched, when high is asked for', () => {
    const stored = [circle];
    expect(simplifyForLod(stored, 'high')).toBe(stored);
  });

  it('sends fewer points the lower the level, and changes nothing else', () => {
    const [medium] = simplifyForLod([circle], 'medium');
    const [low] = simplifyForLod([circle], 'low');
    expect(medium!.points.length).toBeLessThan(circle.points.length / 2);
    expect(low!.points.length).toBeLessThan(medium!.points.length);
    expect(low!.points.length).toBeGreaterThanOrEqual(6);
    expect({ ...low, points: [] }).toEqual({ ...circle, points: [] });
  });

  it('leaves the stored polygons alone', () => {
    const before = structuredClone(circle);
    simplifyForLod([circle], 'low');
    expect(circle).toEqual(before);
  });
});
