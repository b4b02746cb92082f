import { cp, mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { NotYet } from '../../src/inference/failure.ts';
import { loadModelCard } from '../../src/inference/model.ts';
import { watchModel } from '../../src/roles/model-watch.ts';
import { until } from '../batches/fixture.ts';

const MODEL = path.join(import.meta.dirname, '../../models/nuclei/1');
const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Watches a folder in which version 2 appears, before workers whose nth reload, from 1, ends so. */
async function watched(reload: (nth: number) => void) {
  const modelsDir = await mkdtemp(path.join(os.tmpdir(), 'segbench-watch-'));
  closers.push(() => rm(modelsDir, { recursive: true }));
  await cp(MODEL, path.join(modelsDir, 'nuclei/1'), { recursive: true });
  const model = await loadModelCard(modelsDir, 'nuclei');
  await cp(MODEL, path.join(modelsDir, 'nuclei/2'), { recursive: true });
  const seen = { reloads: 0, taken: [] as string[], said: [] as string[] };
  const watch = watchModel({
    modelsDir,
    model,
    everyMs: 10,
    backend: { reload: async () => reload(++seen.reloads) },
    onChange: ({ version }) => seen.taken.push(version),
    log: (_level, message) => seen.said.push(message),
  });
  closers.push(() => watch.stop());
  return seen;
}

it('tries a version again that cannot be had yet, and says so once', async () => {
  const seen = await watched((nth) => {
    if (nth < 4) throw new NotYet('no inference server serves version 2');
  });
  await until(() => seen.taken.length > 0);
  expect(seen).toEqual({
    reloads: 4,
    taken: ['2'],
    said: ['a newer version of nuclei is not taken: no inference server serves version 2', 'the workers run nuclei 2'],
  });
});

it('does not try a version again that does not load', async () => {
  const seen = await watched(() => {
    throw new Error('it does not load');
  });
  await until(() => seen.said.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(seen).toMatchObject({ reloads: 1, taken: [] });
});
