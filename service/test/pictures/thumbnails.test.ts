import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import type { Image, Project, UploadReply } from '#contract/images.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';
import { uploadPictures } from '../support/results.ts';
import { newTenant } from '../tenants/kit.ts';

const ABSENT = '01980000-0000-7000-8000-0000000000ff';
let service: TestApp;
let images: Image[];

beforeAll(async () => {
  service = await startTestApp();
  const project = await service.call('/api/projects', { method: 'POST', json: { name: 'p' } });
  images = await uploadPictures(service, ((await project.json()) as Project).id, 3);
});
afterAll(() => service.close());

const ask = (query: string) => service.call(`/api/thumbnails?${query}`);
const render = async (id: string, query: string) =>
  Buffer.from(await (await service.call(`/api/images/${id}/render?${query}`)).arrayBuffer());
const bytesOf = async (part: FormDataEntryValue | null) => Buffer.from(await (part as File).arrayBuffer());
const drawn = () => service.app.pictures.artists.stats().drawn;

describe('GET /api/thumbnails', () => {
  it('gives what each image alone gives, as far as it is drawn, and draws nothing', async () => {
    const [first, second, third] = images as [Image, Image, Image];
    const ids = [first.id, ABSENT, third.id, second.id].join(',');
    const alone = await render(first.id, 'w=32&f=webp');
    await render(third.id, 'w=16&f=webp');
    const before = drawn();
    const some = await ask(`w=32&ids=${ids}`);
    const parts = await some.formData();
    expect(some.headers.get('cache-control')).toBe('no-store');
    expect([...parts.keys()]).toEqual([first.id]);
    expect((parts.get(first.id) as File).type).toBe('image/webp');
    expect((await bytesOf(parts.get(first.id))).equals(alone)).toBe(true);
    expect((await sharp(alone).metadata()).width).toBe(32);
    expect(drawn()).toBe(before);
    expect(service.app.pictures.artists.stats().waiting).toBe(0);

    const second32 = await render(second.id, 'w=32&f=webp');
    const both = await ask(`w=32&ids=${second.id.toUpperCase()},${second.id},${first.id}`);
    expect(both.headers.get('cache-control')).toBe('private, max-age=31536000, immutable');
    const all = await both.formData();
    expect([...all.keys()].toSorted()).toEqual([first.id, second.id].toSorted());
    expect((await bytesOf(all.get(second.id))).equals(second32)).toBe(true);
  });

  it('tells another tenant nothing, neither of these images nor that somebody has drawn the same bytes', async () => {
    const foreign = await newTenant(service, 'other');
    const project = await service.call('/api/projects', { method: 'POST', json: { name: 'p' }, key: foreign.token });
    const { id } = (await project.json()) as Project;
    const uploaded = await service.call(`/api/projects/${id}/images`, {
      method: 'POST',
      body: form([{ name: 'mine.png', bytes: await picture(1) }]),
      key: foreign.token,
    });
    const same = ((await uploaded.json()) as UploadReply).images[0]!;
    expect(same.sha256).toBe(images[0]!.sha256);
    await render(images[0]!.id, 'w=24&f=webp');
    const textFor = async (key: string) =>
      (await service.call(`/api/thumbnails?w=24&ids=${images[0]!.id},${same.id}`, { key })).text();
    expect(await textFor(TEST_KEY)).toContain(`name="${images[0]!.id}"`);
    expect(await textFor(foreign.token)).not.toContain('name=');
  });

  it('gives an answer without parts where nothing is drawn', async () => {
    const reply = await ask(`w=48&ids=${images[0]!.id}`);
    expect([reply.status, reply.headers.get('cache-control')]).toEqual([200, 'no-store']);
    expect(await reply.text()).toMatch(/^--\S+--\r\n$/);
  });

  it.each([
    ['', 'ids'],
    ['w=32', 'ids'],
    ['w=32&ids=', 'querystring.ids is ""'],
    ['w=32&ids=x', 'querystring.ids is "x": expected 1 to 64 ids of images with commas between'],
    [`w=32&ids=${ABSENT},`, 'expected 1 to 64 ids'],
    [`w=32&ids=${Array(65).fill(ABSENT).join(',')}`, 'expected 1 to 64 ids'],
    [`w=0&ids=${ABSENT}`, 'querystring.w is 0'],
    [`w=4097&ids=${ABSENT}`, 'querystring.w is 4097'],
  ])('refuses "%s", and says what is allowed', async (query, words) => {
    const reply = await ask(query);
    const { code, message } = (await reply.json()) as ErrorBody;
    expect([reply.status, code]).toEqual([400, 'VALIDATION']);
    expect(message).toContain(words);
  });

  it('means the width of thumbnailUrl where none is given', async () => {
    const [image] = images as [Image];
    const { thumbnailUrl } = (await (await service.call(`/api/images/${image.id}`)).json()) as { thumbnailUrl: string };
    const alone = Buffer.from(await (await fetch(service.url + thumbnailUrl)).arrayBuffer());
    const parts = await (await ask(`ids=${image.id}`)).formData();
    expect((await bytesOf(parts.get(image.id))).equals(alone)).toBe(true);
  });

  it('takes as many as it says', async () => {
    expect((await ask(`w=32&ids=${Array(64).fill(ABSENT).join(',')}`)).status).toBe(200);
  });
});
