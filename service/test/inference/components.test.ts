import { describe, expect, it } from 'vitest';
import { fillHoles, labelComponents } from '../../src/inference/components.ts';
import { draw } from './shapes.ts';

const maskOf = (...rows: string[]) => {
  const { labels, width, height } = draw(...rows);
  return { mask: Uint8Array.from(labels, (label) => (label > 0 ? 1 : 0)), width, height };
};

describe('labelComponents', () => {
  const label = (minArea: number, ...rows: string[]) => {
    const { mask, width, height } = maskOf(...rows);
    const labels = new Int32Array(mask.length).fill(9);
    const count = labelComponents(mask, width, height, labels, new Int32Array(mask.length), minArea);
    return { count, labels: [...labels] };
  };

  it('keeps pixels apart that touch at a corner only', () => {
    expect(label(1, 'x.', '.x')).toEqual({ count: 2, labels: [1, 0, 0, 2] });
  });

  it('does not join the end of a row with the start of the next', () => {
    expect(label(1, '..x', 'x..')).toEqual({ count: 2, labels: [0, 0, 1, 2, 0, 0] });
  });

  it('drops small components without leaving gaps in the numbers', () => {
    expect(label(2, 'x.x', '..x', 'xx.')).toEqual({ count: 2, labels: [0, 0, 1, 0, 0, 1, 2, 2, 0] });
  });
});

describe('fillHoles', () => {
  const fill = (keepFrom: number | undefined, ...rows: string[]) => {
    const { mask, width, height } = maskOf(...rows);
    fillHoles(mask, width, height, new Int32Array(mask.length), keepFrom);
    return rows.map((_, y) => Array.from(mask.subarray(y * width, y * width + width), (v) => '.x'[v]).join(''));
  };

  it('fills what no 4-connected way joins to the border, also past a corner', () => {
    expect(fill(undefined, '.....', '.xxx.', '.x.x.', '.xx..', '.....')).toEqual(
      ['.....', '.xxx.', '.x.x.', '.xx..', '.....'].with(2, '.xxx.'),
    );
  });

  it('leaves a bay open that reaches the border', () => {
    expect(fill(undefined, 'xxx', 'x..', 'xxx')).toEqual(['xxx', 'x..', 'xxx']);
  });

  it('keeps holes from the wanted size on', () => {
    expect(fill(2, 'xxxxx', 'x.x.x', 'xxx.x', 'xxxxx')).toEqual(['xxxxx', 'xxx.x', 'xxx.x', 'xxxxx']);
  });
});
