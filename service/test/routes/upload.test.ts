import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Value } from 'typebox/value';
import { UploadReply, type Project } from '#contract/images.ts';
import type { ErrorBody } from '#contract/common.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';

let service: TestApp;
let project: Project;
const newProject = async () =>
  (await (await service.call('/api/projects', { method: 'POST', json: { name: 'p' } })).json()) as Project;
const upload = (body: FormData, headers: Record<string, string> = {}, id = project.id) =>
  service.call(`/api/projects/${id}/images`, { method: 'POST', body, headers });
const leftovers = () => readdir(join(service.dataDir, 'tmp'));
const rows = async (id = project.id) =>
  (await service.sql<{ count: number }[]>`select count(*) as count from images where project_id = ${id}`)[0]!.count;

beforeAll(async () => {
  service = await startTestApp({ MAX_FILE_BYTES: '200000', MAX_IMAGE_PIXELS: '250000' });
  project = await newProject();
});
afterAll(() => service.close());

describe('POST /api/projects/:id/images', () => {
  it('accepts the good and refuses the bad by name when both come together', async () => {
    const good = await picture(1);
    const cut = (await picture(2, { width: 200, height: 200 })).subarray(0, 9000);
    const reply = await upload(
      form([
        { name: 'well/A1/é.png', bytes: good },
        { name: 'notes.txt', bytes: Buffer.from('hello, not an image') },
        { name: 'cut.png', bytes: cut },
        { name: 'empty.png', bytes: Buffer.alloc(0) },
        { name: 'big.png', bytes: Buffer.alloc(200_001, 7) },
        { name: 'wide.png', bytes: await picture(3, { width: 600, height: 500, format: 'jpeg' }) },
        { name: '../../etc/passwd.png', bytes: good },
        { name: 'icon.svg', bytes: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>') },
        { name: 'copy.png', bytes: good },
        { name: 'b.jpg', bytes: await picture(4, { format: 'jpeg' }) },
        { name: 'c.tif', bytes: await picture(5, { format: 'tiff' }) },
        { name: 'd.webp', bytes: await picture(6, { format: 'webp' }) },
      ]),
    );
    expect(reply.status).toBe(201);
    const body = (await reply.json()) as UploadReply;
    expect(Value.Check(UploadReply, body)).toBe(true);
    expect(body.images.map(({ name, mimeType }) => `${name} ${mimeType}`)).toEqual([
      'é.png image/png',
      'copy.png image/png',
      'b.jpg image/jpeg',
      'c.tif image/tiff',
      'd.webp image/webp',
    ]);
    expect(body.images[0]).toMatchObject({
      relativePath: 'well/A1/é.png',
      width: 64,
      height: 48,
      channels: 1,
      status: 'uploaded',
    });
    expect(body.images[0]!.sha256).toBe(body.images[1]!.sha256);
    expect(Object.fromEntries(body.rejected.map(({ name, code }) => [name, code]))).toEqual({
      'notes.txt': 'UNSUPPORTED_TYPE',
      'cut.png': 'INVALID_IMAGE',
      'empty.png': 'EMPTY_FILE',
      'big.png': 'FILE_TOO_LARGE',
      'wide.png': 'IMAGE_TOO_LARGE',
      '../../etc/passwd.png': 'INVALID_NAME',
      'icon.svg': 'UNSUPPORTED_TYPE',
    });
    expect(await leftovers()).toEqual([]);
    const events = await service.sql`select status from event_outbox where project_id = ${project.id}`;
    expect(events).toHaveLength(5);
    const blobs = await service.sql`select sha256 from blobs`;
    expect(blobs).toHaveLength(4);
  });

  it('takes a file of exactly the limit and refuses one byte more when sizes lie on the edge', async () => {
    const png = await picture(8);
    // Bytes after IEND are allowed in a PNG.
    const exact = Buffer.concat([png, Buffer.alloc(200_000 - png.length)]);
    const reply = await upload(
      form([
        { name: 'exact.png', bytes: exact },
        { name: 'more.png', bytes: Buffer.concat([exact, Buffer.alloc(1)]) },
      ]),
    );
    const body = (await reply.json()) as UploadReply;
    expect(body.images.map((image) => image.sizeBytes)).toEqual([200_000]);
    expect(body.rejected.map(({ code }) => code)).toEqual(['FILE_TOO_LARGE']);
  });

  it('answers 400 when no file was accepted', async () => {
    const before = await rows();
    const reply = await upload(form([{ name: 'a.txt', bytes: Buffer.from('nothing') }]));
    expect(reply.status).toBe(400);
    expect((await reply.json()) as ErrorBody).toMatchObject({
      code: 'NO_IMAGE_ACCEPTED',
      message: expect.stringContaining('a.txt: UNSUPPORTED_TYPE') as string,
      rejected: [{ name: 'a.txt', code: 'UNSUPPORTED_TYPE' }],
    });
    expect((await upload(new FormData())).status).toBe(400);
    expect(await rows()).toBe(before);
    expect(await leftovers()).toEqual([]);
  });

  it('keeps nothing when there are over 100 files or an unknown field', async () => {
    const own = await newProject();
    const bytes = await picture(9);
    const many = form(Array.from({ length: 101 }, (_, index) => ({ name: `${index}.png`, bytes })));
    const reply = await upload(many, {}, own.id);
    expect(reply.status).toBe(400);
    expect(((await reply.json()) as ErrorBody).code).toBe('TOO_MANY_FILES');
    expect((await upload(form([{ name: 'a.png', bytes, field: 'other' }]), {}, own.id)).status).toBe(400);
    expect(await rows(own.id)).toBe(0);
    expect(await leftovers()).toEqual([]);
  });

  it('answers the same and stores once when a key is repeated, one after the other or at once', async () => {
    const own = await newProject();
    const body = async () => form([{ name: 'one.png', bytes: await picture(10) }]);
    const headers = { 'idempotency-key': 'k1' };
    const together = await Promise.all([upload(await body(), headers, own.id), upload(await body(), headers, own.id)]);
    const later = await upload(await body(), headers, own.id);
    const answers = await Promise.all([...together, later].map((reply) => reply.json()));
    expect([...together, later].map((reply) => reply.status)).toEqual([201, 201, 201]);
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    expect(later.headers.get('idempotency-replayed')).toBe('true');
    expect(await rows(own.id)).toBe(1);
  });

  it('may be tried again under the same key when the first try failed', async () => {
    const own = await newProject();
    const headers = { 'idempotency-key': 'k2' };
    expect((await upload(form([{ name: 'a.txt', bytes: Buffer.from('x') }]), headers, own.id)).status).toBe(400);
    expect((await upload(form([{ name: 'a.png', bytes: await picture(11) }]), headers, own.id)).status).toBe(201);
  });

  it('leaves no row and no temporary file when the client goes away in the middle', async () => {
    const own = await newProject();
    const outgoing = request(`${service.url}/api/projects/${own.id}/images`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'multipart/form-data; boundary=x' },
    });
    outgoing.on('error', () => {});
    outgoing.write('--x\r\ncontent-disposition: form-data; name="files"; filename="a.png"\r\n\r\n');
    outgoing.write(Buffer.alloc(50_000, 1));
    await expect.poll(leftovers, { timeout: 10_000 }).toHaveLength(1);
    outgoing.destroy();
    await expect.poll(leftovers, { timeout: 10_000 }).toEqual([]);
    await sleep(10);
    expect(await rows(own.id)).toBe(0);
  });

  it('answers, keeps nothing and goes on when the disk refuses a file in the middle of a large body', async () => {
    const own = await newProject();
    const { storage } = service.app;
    const { temporaryPath } = storage;
    const bytes = await picture(20);
    const body = () =>
      form([
        { name: 'a.png', bytes },
        ...Array.from({ length: 30 }, (_, index) => ({ name: `${index}`, bytes: Buffer.alloc(150_000, index) })),
      ]);
    let files = 0;
    storage.temporaryPath = () => (files++ < 3 ? temporaryPath() : join(service.dataDir, 'gone', 'x'));
    try {
      expect((await upload(body(), {}, own.id)).status).toBe(500);
    } finally {
      storage.temporaryPath = temporaryPath;
    }
    expect(await leftovers()).toEqual([]);
    expect(await rows(own.id)).toBe(0);
    expect((await upload(body(), {}, own.id)).status).toBe(201);
  });

  it('answers 404 for an unknown project, 415 for JSON, and 401 before either without a key', async () => {
    const body = form([{ name: 'a.png', bytes: await picture(12) }]);
    expect((await upload(body, {}, '00000000-0000-4000-8000-000000000000')).status).toBe(404);
    expect((await service.call(`/api/projects/${project.id}/images`, { method: 'POST', json: {} })).status).toBe(415);
    expect((await service.call(`/api/projects/x/images`, { method: 'POST', json: {}, key: null })).status).toBe(401);
  });
});
