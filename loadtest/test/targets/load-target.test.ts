import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../../src/cli/usage-error.ts';
import { loadTarget } from '../../src/targets/load-target.ts';
import { TARGET_FUNCTIONS } from '../../src/targets/target.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-adapter-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

let count = 0;
async function adapter(text: string): Promise<string> {
  const path = join(folder, `adapter-${count++}.mjs`);
  await writeFile(path, text);
  return path;
}
const whole = TARGET_FUNCTIONS.map((name) => `${name}() {}`);

describe('loadTarget', () => {
  it('gives what the default export makes', async () => {
    const path = await adapter(`export default () => ({ ${whole.join(', ')} });`);
    expect(Object.keys(await loadTarget(path))).toEqual([...TARGET_FUNCTIONS]);
  });

  it.each<[string, string, RegExp]>([
    [
      'lacks a function',
      `export default () => ({ ${whole.slice(1).join(', ')} });`,
      /adapter-\d+\.mjs: open is missing, expected a function; docs/,
    ],
    [
      'lacks several',
      `export default () => ({ ${whole.slice(2).join(', ')} });`,
      /open is missing, upload is missing, expected functions/,
    ],
    [
      'has something else there',
      `export default () => ({ ${whole.slice(1).join(', ')}, open: 5 });`,
      /open is a number, expected a function/,
    ],
    [
      'has something else as cut',
      `export default () => ({ ${whole.join(', ')}, cut: true });`,
      /cut is a boolean, expected a function/,
    ],
    [
      'exports an object',
      `export default { ${whole.join(', ')} };`,
      /its default export is an object, expected a function/,
    ],
    ['exports nothing', `export const target = 1;`, /its default export is missing/],
    ['makes a promise', `export default async () => ({});`, /its default export gave a promise, expected an object/],
    ['makes nothing', `export default () => null;`, /its default export gave null/],
    [
      'fails in its making',
      `export default () => { throw new Error('no URL'); };`,
      /its default export failed: no URL/,
    ],
    ['is no JavaScript', `export default (`, /adapter-\d+\.mjs does not load: /],
    [
      'imports what is not there',
      `import './nothing.mjs'; export default () => ({});`,
      /does not load: .*nothing\.mjs/,
    ],
    ['fails while it loads', `throw new Error('at once');`, /does not load: at once/],
  ])('refuses, as wrong usage, an adapter that %s', async (_, text, words) => {
    const loading = loadTarget(await adapter(text));
    await expect(loading).rejects.toThrow(UsageError);
    await expect(loading).rejects.toThrow(words);
  });

  it('does not wait for ever for one that never loads', async () => {
    const path = await adapter(`await new Promise(() => setInterval(() => {}, 1e6).unref());`);
    await expect(loadTarget(path, 50)).rejects.toThrow(/does not load: it was not done within 50 ms/);
  });
});
