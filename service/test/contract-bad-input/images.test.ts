import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import type { Image, Rejection, UploadReply } from '#contract/images.ts';
import type { Result } from '#contract/results.ts';
import { createLocalPool } from '../../src/inference/pool/local.ts';
import { loadModelCard } from '../../src/inference/model.ts';
import { startPath, type Path } from '../roles/path.ts';
import { form } from '../support/pictures.ts';
import { strangeImages, type StrangeImage } from './strange-images.ts';

let path: Path;
let projectId: string;
let files: StrangeImage[];
let images: Map<string, Image>;
let rejected: Map<string, Rejection>;
const call = (url: string, init?: Parameters<Path['server']['call']>[1]) => path.server.call(url, init);
const accepts = ({ becomes }: StrangeImage) => 'width' in becomes;

beforeAll(async () => {
  path = await startPath({ INFERENCE_TIMEOUT_MS: '60000', LEASE_MS: '60000' });
  ({ id: projectId } = (await (await call('/api/projects', { method: 'POST', json: { name: 'strange' } })).json()) as {
    id: string;
  });
  files = await strangeImages();
  const body = form(files.map(({ what, bytes }) => ({ name: `${what}.png`, bytes })));
  const reply = await call(`/api/projects/${projectId}/images`, { method: 'POST', body });
  if (reply.status !== 201) throw new Error(`the upload was answered with ${reply.status}`);
  const answer = (await reply.json()) as UploadReply;
  images = new Map(answer.images.map((image) => [image.name, image]));
  rejected = new Map(answer.rejected.map((each) => [each.name, each]));
});
afterAll(() => path.close());

it('each strange file is accepted with its size or refused with its code, and nothing is lost between', () => {
  const wrong: string[] = [];
  for (const { what, becomes } of files) {
    const image = images.get(`${what}.png`);
    const refusal = rejected.get(`${what}.png`);
    const seen = image
      ? `${image.width} x ${image.height}, ${image.channels} channels`
      : `${refusal?.code}: ${refusal?.message}`;
    if ('width' in becomes) {
      const { width, height, channels = image?.channels } = becomes;
      if (image?.width !== width || image.height !== height || image.channels !== channels)
        wrong.push(`${what}: ${seen}`);
    } else if (refusal?.code !== becomes.code || !refusal.message.includes(becomes.says ?? ''))
      wrong.push(`${what}: ${seen}`);
    // A library's message may carry a path of this machine.
    if (refusal && /\/tmp|\/home|node_modules/.test(refusal.message)) wrong.push(`${what} shows ${refusal.message}`);
  }
  expect(wrong).toEqual([]);
  expect([images.size, rejected.size]).toEqual([
    files.filter(accepts).length,
    files.filter((file) => !accepts(file)).length,
  ]);
});

it('each refused file alone is 400 with its code, and leaves nothing', async () => {
  const [before] = await path.server
    .sql`select (select count(*) from images) as images, (select count(*) from blobs) as blobs`;
  for (const { what, bytes, becomes } of files.filter((file) => !accepts(file))) {
    const reply = await call(`/api/projects/${projectId}/images`, {
      method: 'POST',
      body: form([{ name: 'a.png', bytes }]),
    });
    const body = (await reply.json()) as ErrorBody;
    expect([what, reply.status, body.code, body.rejected]).toMatchObject([
      what,
      400,
      'NO_IMAGE_ACCEPTED',
      [{ name: 'a.png', ...('code' in becomes && { code: becomes.code }) }],
    ]);
    expect(body.message).toContain('a.png');
  }
  expect(
    await path.server.sql`select (select count(*) from images) as images, (select count(*) from blobs) as blobs`,
  ).toMatchObject([before]);
});

it('each accepted file is rendered, read and segmented, and its mask drawn, without a 5xx', async () => {
  const { dir: modelDir } = await loadModelCard(path.server.app.config.modelsDir, 'nuclei');
  await path.relay();
  await path.worker(createLocalPool({ workers: 1, modelDir, provider: 'cpu', timeoutMs: 60_000 }));
  const { id: batchId } = await path.start(projectId, { all: true });
  await path.ended(batchId);
  const failures = await (await call(`/api/batches/${batchId}/failures`)).json();
  expect(failures).toMatchObject({ total: 0, groups: [] });
  const seen: string[] = [];
  for (const [name, { id, width, height }] of images) {
    const result = (await (await call(`/api/images/${id}/segmentation`)).json()) as Result;
    if (result.imageWidth !== width || result.imageHeight !== height)
      seen.push(`${name}: a result of ${result.imageWidth} x ${result.imageHeight}`);
    for (const view of [
      '',
      '/file',
      '/timeline',
      '/overlay',
      '/overlay?w=1',
      '/render',
      '/render?w=1&h=1',
      '/render?region=0,0,1,1&f=png',
      '/render?w=4096&f=png',
      '/render?f=avif&q=1',
      '/render?f=webp&q=100&h=7',
      '/render?f=jpeg',
    ]) {
      const { status } = await call(`/api/images/${id}${view}`);
      if (status !== 200) seen.push(`${name}${view}: ${status}`);
    }
  }
  expect(seen).toEqual([]);
  for (const format of ['ndjson', 'geojson', 'coco', 'csv', 'labels-zip', 'imagej-rois']) {
    const made = (await (
      await call(`/api/batches/${batchId}/exports`, { method: 'POST', json: { format } })
    ).json()) as { id: string };
    let status = '';
    while (!['ready', 'failed'].includes(status))
      ({ status } = (await (await call(`/api/exports/${made.id}`)).json()) as { status: string });
    expect([format, status]).toEqual([format, 'ready']);
  }
}, 300_000);

it('each accepted file whose page or channel is not there fails with a code, and the next one is segmented', async () => {
  const one = images.get('one pixel.png')!;
  const { id } = await path.start(projectId, { imageIds: [one.id], page: 5, force: true });
  await path.ended(id);
  expect(await path.get(id)).toMatchObject({ counts: { failed: 1 } });
  expect(await (await call(`/api/batches/${id}/failures`)).json()).toMatchObject({
    groups: [{ code: 'INVALID_IMAGE', retryable: false }],
  });
  const again = await path.start(projectId, { imageIds: [one.id], force: true });
  await path.ended(again.id);
  expect(await path.get(again.id)).toMatchObject({ counts: { completed: 1 } });
}, 120_000);
