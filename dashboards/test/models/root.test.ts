import { describe, expect, it } from 'vitest';
import { here, pathIn, rootOf } from '../../src/models/root.ts';

describe('where the service begins', () => {
  it.each([
    ['https://host/assets/index-a1.js', '/'],
    ['https://host/segbench/assets/index-a1.js', '/segbench/'],
    ['https://host/a/assets/b/assets/index-a1.js', '/a/assets/b/'],
    ['https://host/src/models/root.ts', '/'],
  ])('by its script at %s is %s', (script, root) => {
    expect(rootOf(script)).toBe(root);
  });

  it('leads to addresses of the site and back', () => {
    expect(here('/runs?base=a', '/segbench/')).toBe('/segbench/runs?base=a');
    expect(here('/', '/')).toBe('/');
    expect(pathIn('/segbench/runs', '/segbench/')).toBe('/runs');
    expect(pathIn('/segbench/', '/segbench/')).toBe('/');
    expect(pathIn('/runs', '/')).toBe('/runs');
    expect(pathIn('/other', '/segbench/')).toBe('/other');
  });
});
