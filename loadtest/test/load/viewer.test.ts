import { describe, expect, it } from 'vitest';
import { VIEWER_BUDGETS } from '../../../scenarios/budgets-pages.ts';
import { judgeBudgets } from '../../src/judge/budgets.ts';
import { isFullPart, type ViewerFigures } from '../../src/load/viewer-measure.ts';
import type { Moves } from '../../src/load/viewer-moves.ts';
import { measurementsOf } from '../../src/load/viewer.ts';

const moves = (...p95sMs: number[]): Moves => ({ p95sMs, plainP95sMs: [], longestMs: 50, frames: 500 });
const GOOD: ViewerFigures = {
  pan: moves(16.7, 16.8, 33.3),
  zoom: moves(16.8, 16.8, 16.7),
  panFull: moves(16.7, 16.7, 16.7),
  firstPartMs: 210,
  allPartsMs: 340,
  parts: 4,
  heapRetainedBytes: 5.4e6,
  wrongDrawn: 0,
  wrongPointed: 0,
  faults: [],
  seen: 4881,
  pointed: 40,
};
const judged = (change: Partial<ViewerFigures> = {}, found = 5000) => {
  const measured = measurementsOf({ ...GOOD, ...change }, { outlines: 5000, found, timeoutMs: 30_000 });
  const rows = judgeBudgets(measured, VIEWER_BUDGETS, { imageCount: 1 });
  return rows.filter(({ verdict }) => verdict !== 'pass').map(({ name, verdict }) => `${name} ${verdict}`);
};

describe('the verdict of the viewer', () => {
  it('passes one refresh a frame, by the median of the times that it was moved', () => {
    expect(judged()).toEqual([]);
  });

  it('fails where a refresh is missed at full resolution alone, and where it is while zooming', () => {
    expect(judged({ panFull: moves(33.3, 33.4, 16.7) })).toEqual(['viewer_pan_frame_p95_ms fail']);
    expect(judged({ zoom: moves(33.3, 16.7, 33.3) })).toEqual(['viewer_zoom_frame_p95_ms fail']);
  });

  it('is open where a plain picture missed a refresh as well, in each way that was late', () => {
    const late = { ...moves(33.3, 33.4, 16.7), plainP95sMs: [33.3, 33.3] };
    const own = { ...late, plainP95sMs: [16.7, 16.7] };
    expect(judged({ pan: late, zoom: late })).toEqual([
      'viewer_pan_frame_p95_ms inconclusive',
      'viewer_zoom_frame_p95_ms inconclusive',
    ]);
    expect(judged({ pan: late, panFull: own })).toEqual(['viewer_pan_frame_p95_ms fail']);
    expect(judged({ zoom: own })).toEqual(['viewer_zoom_frame_p95_ms fail']);
  });

  it('fails for a part of the picture that never came, by the time it was waited for', () => {
    expect(judged({ firstPartMs: null })).toEqual(['viewer_first_part_ms fail']);
  });

  it('fails for an outline that is drawn, told or answered otherwise', () => {
    const red = ['viewer_wrong_outlines fail'];
    expect([judged({ wrongDrawn: 1 }), judged({ wrongPointed: 1 }), judged({}, 4999)]).toEqual([red, red, red]);
  });

  it('proves nothing of outlines that were too small to be looked at', () => {
    expect(judged({ seen: 3000 })).toEqual(['viewer_wrong_outlines inconclusive']);
  });
});

describe('a part of full resolution', () => {
  it('is as wide as what it shows', () => {
    const url = (query: string) => ({ url: `http://127.0.0.1/api/images/1/render?${query}` });
    expect(isFullPart(url('w=1024&region=1024,0,1024,832&f=webp'))).toBe(true);
    expect(isFullPart(url('w=512&region=1024,0,1024,832&f=webp'))).toBe(false);
    expect(isFullPart(url('w=2048&f=webp'))).toBe(false);
  });
});
