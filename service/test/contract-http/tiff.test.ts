import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Failures } from '#contract/batches.ts';
import type { Image, UploadReply } from '#contract/images.ts';
import type { Result } from '#contract/results.ts';
import type { Timeline } from '#contract/timeline.ts';
import { createLocalPool } from '../../src/inference/pool/local.ts';
import type { InferenceBackend, InferenceRequest } from '../../src/inference/pool/backend.ts';
import { loadModelCard } from '../../src/inference/model.ts';
import { startPath, type Path } from '../roles/path.ts';
import { form, picture } from '../support/pictures.ts';

/** Made by tifffile, see `make.py`; each plane holds another number of discs. */
const SHAPES: [name: string, channels: number, pages: number][] = [
  ['bands.tif', 3, 1],
  ['planar.tif', 3, 1],
  ['many.tif', 5, 1],
  ['deep.tif', 2, 1],
  ['float.tif', 2, 1],
  ['pages.tif', 1, 3],
  ['planes.ome.tif', 1, 6],
  ['bands.ome.tif', 3, 1],
  ['big.tif', 1, 2],
];
const FILES = SHAPES.map(([name]) => name);
const FOLDER = new URL('../fixtures/tiff/', import.meta.url);

let path: Path;
let projectId: string;
const images = new Map<string, Image>();
const asked: InferenceRequest[] = [];
const read = async <T>(url: string) => (await (await path.server.call(url)).json()) as T;
const idOf = (name: string) => images.get(name)!.id;

/** The real pool, which also notes what it was asked. */
async function realPool(modelsDir: string): Promise<InferenceBackend> {
  const { dir: modelDir } = await loadModelCard(modelsDir, 'nuclei');
  const pool = createLocalPool({ workers: 1, modelDir, provider: 'cpu', timeoutMs: 60_000 });
  return {
    ...pool,
    infer(request, options) {
      asked.push(request);
      return pool.infer(request, options);
    },
  };
}
async function run(names: readonly string[], body: object) {
  const { id } = await path.start(projectId, { imageIds: names.map(idOf), ...body });
  await path.ended(id);
  return path.get(id);
}
async function cells(name: string): Promise<number | null> {
  const reply = await path.server.call(`/api/images/${idOf(name)}/segmentation`);
  return reply.status === 404 ? null : ((await reply.json()) as Result).polygonCount;
}

beforeAll(async () => {
  path = await startPath({ INFERENCE_TIMEOUT_MS: '60000', LEASE_MS: '60000' });
  ({ id: projectId } = (await (
    await path.server.call('/api/projects', { method: 'POST', json: { name: 'stacks' } })
  ).json()) as { id: string });
  const files = await Promise.all(FILES.map(async (name) => ({ name, bytes: await readFile(new URL(name, FOLDER)) })));
  files.push({ name: 'gray.png', bytes: await picture(1) });
  const reply = await path.server.call(`/api/projects/${projectId}/images`, { method: 'POST', body: form(files) });
  for (const image of ((await reply.json()) as UploadReply).images) images.set(image.name, image);
  await path.relay();
  await path.worker(await realPool(path.server.app.config.modelsDir));
});
afterAll(() => path.close());

describe('channel and page of a batch', () => {
  it('are offered by what an image says of itself', () => {
    const shapes = FILES.map((name) => [name, images.get(name)?.channels, images.get(name)?.pages]);
    expect(shapes).toEqual(SHAPES);
  });

  it('is refused by name where libvips would read other pixels than the file has', async () => {
    const name = 'gray-planar.tif';
    const bytes = await readFile(new URL(name, FOLDER));
    const reply = await path.server.call(`/api/projects/${projectId}/images`, {
      method: 'POST',
      body: form([{ name, bytes }]),
    });
    expect(reply.status).toBe(400);
    expect(await reply.json()).toMatchObject({
      code: 'NO_IMAGE_ACCEPTED',
      rejected: [
        {
          name,
          code: 'INVALID_IMAGE',
          message: expect.stringContaining('page 0 keeps 2 gray samples in separate planes'),
        },
      ],
    });
  });

  it.each<[name: string, body: object, discs: number]>([
    ['bands.tif', { channel: 0 }, 1],
    ['bands.tif', { channel: 1 }, 4],
    ['bands.tif', { channel: 2 }, 8],
    ['planar.tif', { channel: 0 }, 2],
    ['planar.tif', { channel: 1 }, 5],
    ['planar.tif', { channel: 2 }, 3],
    ['many.tif', {}, 1],
    ['many.tif', { channel: 0 }, 1],
    ['many.tif', { channel: 3 }, 4],
    ['many.tif', { channel: 4 }, 5],
    ['deep.tif', {}, 2],
    ['deep.tif', { channel: 1 }, 5],
    ['float.tif', {}, 3],
    ['float.tif', { channel: 1 }, 7],
    ['pages.tif', {}, 3],
    ['pages.tif', { page: 1 }, 6],
    ['pages.tif', { page: 2, channel: 0 }, 9],
    ['planes.ome.tif', { page: 0 }, 1],
    ['planes.ome.tif', { page: 3 }, 4],
    ['planes.ome.tif', { page: 5 }, 6],
    ['bands.ome.tif', { channel: 1 }, 7],
    ['big.tif', { page: 1 }, 2],
  ])('%s with %o has the cells of that plane', async (name, body, discs) => {
    const batch = await run([name], body);
    expect(batch.counts).toMatchObject({ completed: 1, failed: 0 });
    expect(await cells(name)).toBe(discs);
  });

  it('are part of what is known: equal ones are answered at once, others are not', async () => {
    const before = asked.length;
    const again = await path.start(projectId, { imageIds: [idOf('pages.tif')], page: 1 });
    expect(again.status).toBe('completed');
    expect(await cells('pages.tif')).toBe(6);
    expect(asked).toHaveLength(before);
    // Page 0 with a channel is the same plane, but not the same question.
    await run(['pages.tif'], { page: 0, channel: 0 });
    expect(asked).toHaveLength(before + 1);
    expect(asked.at(-1)).toMatchObject({ page: 0, channel: 0 });
    await run(['pages.tif'], { page: 1, force: true });
    expect(asked.at(-1)).toMatchObject({ page: 1, channel: null });
    expect(asked).toHaveLength(before + 2);
  });

  it('fail an image that lacks them, with the cause, and no neighbour', async () => {
    const all = [...FILES, 'gray.png'];
    const pages = await run(all, { page: 2 });
    // Only two of the files have three pages or more.
    expect(pages.counts).toMatchObject({ completed: 2, failed: 8 });
    expect([await cells('pages.tif'), await cells('planes.ome.tif')]).toEqual([9, 3]);
    const { groups } = await read<Failures>(`/api/batches/${pages.id}/failures`);
    expect(groups).toMatchObject([{ code: 'INVALID_IMAGE', count: 8, retryable: false }]);
    expect(await read<Image>(`/api/images/${idOf('big.tif')}`)).toMatchObject({
      status: 'failed',
      error: { code: 'INVALID_IMAGE', message: 'page 2 of an image with 2: expected 0 to 1', retryable: false },
    });
    const { stages } = await read<Timeline>(`/api/images/${idOf('gray.png')}/timeline`);
    expect(stages.find(({ batchId, cause }) => batchId === pages.id && cause !== null)).toMatchObject({
      stage: 'infer',
      attempt: 1,
      cause: 'INVALID_IMAGE: page 2 of an image with 1: expected 0 to 0',
    });

    const channels = await run(all, { channel: 2 });
    expect(channels.counts).toMatchObject({ completed: 4, failed: 6 });
    expect(await Promise.all(['bands.tif', 'bands.ome.tif', 'planar.tif', 'many.tif'].map(cells))).toEqual([
      8, 4, 3, 3,
    ]);
    const messages = await Promise.all(
      ['deep.tif', 'float.tif', 'big.tif'].map(
        async (name) => (await read<Image>(`/api/images/${idOf(name)}`)).error?.message,
      ),
    );
    expect(messages).toEqual([
      'channel 2 of an image with 2: expected 0 to 1',
      'channel 2 of an image with 2: expected 0 to 1',
      'channel 2 of an image with 1: expected 0 to 0',
    ]);
  });

  it('are kept by a retry', async () => {
    const failed = await run(['big.tif'], { page: 7 });
    const before = asked.length;
    const retry = await path.post(`/api/batches/${failed.id}/retry`, { only: 'failed' });
    await path.ended(retry.id);
    expect(asked.slice(before)).toMatchObject([{ page: 7 }]);
  });
});
