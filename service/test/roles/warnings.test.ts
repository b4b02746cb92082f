import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { UploadReply } from '#contract/images.ts';
import { decodeBulk } from '#contract/polygons-format.ts';
import { POLYGONS_MIME, type Result } from '#contract/results.ts';
import { loadModelCard } from '../../src/inference/model.ts';
import { createLocalPool } from '../../src/inference/pool/local.ts';
import { discs } from '../inference/shapes.ts';
import { form } from '../support/pictures.ts';
import { startPath, type Path } from './path.ts';

const MODELS = path.join(import.meta.dirname, '../../models');
const WARNINGS = ['UNLIKE_TRAINING_DATA'];
const SIZE = { width: 128, height: 128 };
let service: Path;
let modelsDir: string;
let batchId: string;
const ids: Record<'bright' | 'dark', string> = { bright: '', dark: '' };

const read = async <T>(url: string) => (await (await service.server.call(url)).json()) as T;
function bulk(accept?: string) {
  const headers = accept === undefined ? {} : { headers: { accept } };
  return service.server.call('/api/segmentation/batch/results', {
    method: 'POST',
    json: { imageIds: Object.values(ids), fields: ['warnings', 'polygonCount'] },
    ...headers,
  });
}

beforeAll(async () => {
  // The shipped model, with what it knows in its card.
  modelsDir = await mkdtemp(path.join(os.tmpdir(), 'segbench-models-'));
  await cp(path.join(MODELS, 'nuclei/1'), path.join(modelsDir, 'nuclei/1'), { recursive: true });
  const file = path.join(modelsDir, 'nuclei/1/card.json');
  const knows = JSON.parse(await readFile(path.join(MODELS, 'statistics/nuclei-1.json'), 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...JSON.parse(await readFile(file, 'utf8')), knows }));

  service = await startPath({ INFERENCE_TIMEOUT_MS: '60000', LEASE_MS: '60000', MODELS_DIR: modelsDir });
  const project = (await (
    await service.server.call('/api/projects', { method: 'POST', json: { name: 'p' } })
  ).json()) as { id: string };
  const bright = discs(SIZE.width, SIZE.height, [
    [40, 48, 14],
    [90, 70, 12],
  ]);
  const files = await Promise.all(
    Object.entries({ bright, dark: bright.map((value) => 255 - value) }).map(async ([name, data]) => ({
      name,
      bytes: await sharp(data, { raw: { ...SIZE, channels: 1 } })
        .toColourspace('b-w')
        .png()
        .toBuffer(),
    })),
  );
  const reply = await service.server.call(`/api/projects/${project.id}/images`, { method: 'POST', body: form(files) });
  for (const { id, name } of ((await reply.json()) as UploadReply).images) ids[name as 'bright' | 'dark'] = id;
  await service.relay();
  const { dir: modelDir } = await loadModelCard(modelsDir, 'nuclei');
  await service.worker(createLocalPool({ workers: 1, modelDir, provider: 'cpu', timeoutMs: 60_000 }));
  ({ id: batchId } = await service.start(project.id));
  await service.ended(batchId);
});
afterAll(async () => {
  await service.close();
  await rm(modelsDir, { recursive: true, force: true });
});

describe('the warnings of a result', () => {
  it('come with one result, and are absent where there are none', async () => {
    expect(await service.get(batchId)).toMatchObject({ counts: { completed: 2 } });
    expect(await read<Result>(`/api/images/${ids.dark}/segmentation`)).toMatchObject({ warnings: WARNINGS });
    const bright = await read<Result>(`/api/images/${ids.bright}/segmentation`);
    expect(bright).toMatchObject({ status: 'completed', polygonCount: 2 });
    expect(bright).not.toHaveProperty('warnings');
  });

  it('come with many, as JSON and NDJSON, and in the JSON part of the binary form', async () => {
    const { results } = (await (await bulk()).json()) as { results: Record<string, Partial<Result>> };
    expect(results[ids.dark]).toMatchObject({ imageId: ids.dark, warnings: WARNINGS });
    expect(results[ids.bright]).toEqual({ imageId: ids.bright, polygonCount: 2 });
    const lines = (await (await bulk('application/x-ndjson')).text()).split('\n').slice(0, 2);
    expect(lines.map((line) => (JSON.parse(line) as Partial<Result>).warnings)).toEqual([undefined, WARNINGS]);
    const bytes = new Uint8Array(await (await bulk(POLYGONS_MIME)).arrayBuffer());
    expect(decodeBulk(bytes).results.get(ids.dark)?.meta.warnings).toEqual(WARNINGS);
  });

  it('come over GraphQL, as an empty list where there are none', async () => {
    const query = `{ a: image(id: "${ids.dark}") { segmentation { warnings } } b: image(id: "${ids.bright}") { segmentation { warnings } } }`;
    const reply = await service.server.call('/graphql', { method: 'POST', json: { query } });
    expect(await reply.json()).toMatchObject({
      data: { a: { segmentation: { warnings: WARNINGS } }, b: { segmentation: { warnings: [] } } },
    });
  });
});
