import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import type { Image, UploadReply } from '#contract/images.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';
import { newProject, page } from './support.ts';

const MAX_FILE_BYTES = 20_000_000;
let service: TestApp;
let projectId: string;
let png: Buffer;
beforeAll(async () => {
  service = await startTestApp();
  projectId = (await newProject(service)).id;
  png = await picture(1);
});
afterAll(() => service.close());

const path = () => `/api/projects/${projectId}/images`;
const post = async (init: RequestInit) => {
  const reply = await service.call(path(), { method: 'POST', ...init });
  return { status: reply.status, body: (await reply.json()) as UploadReply & ErrorBody };
};
/** A multipart body whose parts have exactly this text behind `content-disposition: form-data; name="files"`. */
function rawBody(files: readonly { disposition: string; bytes: Buffer }[]) {
  const parts = files.flatMap(({ disposition, bytes }) => [
    Buffer.from(`--b\r\ncontent-disposition: form-data; name="files"${disposition}\r\n\r\n`),
    bytes,
    Buffer.from('\r\n'),
  ]);
  return {
    body: new Uint8Array(Buffer.concat([...parts, Buffer.from('--b--\r\n')])),
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
  };
}
const leftovers = () => readdir(join(service.dataDir, 'tmp'));

describe('the size of a file', () => {
  it('is 20 MB at most where nothing else is set: one byte more is refused with the limit, its neighbours are kept', async () => {
    // Bytes after the end of the picture are allowed in a PNG.
    const exact = Buffer.concat([png, Buffer.alloc(MAX_FILE_BYTES - png.length)]);
    const files = [
      { name: 'before.png', bytes: png },
      { name: 'exact.png', bytes: exact },
      { name: 'over.png', bytes: Buffer.concat([exact, Buffer.alloc(1)]) },
      { name: 'after.png', bytes: png },
    ];
    const { status, body } = await post({ body: form(files) });
    expect(status).toBe(201);
    expect(body.images.map(({ name, sizeBytes }) => [name, sizeBytes])).toEqual([
      ['before.png', png.length],
      ['exact.png', MAX_FILE_BYTES],
      ['after.png', png.length],
    ]);
    expect(body.rejected).toEqual([
      { name: 'over.png', code: 'FILE_TOO_LARGE', message: `over ${MAX_FILE_BYTES} bytes` },
    ]);
    const stored = await service.call(`/api/images/${body.images[1]!.id}/file`);
    expect(Buffer.from(await stored.arrayBuffer()).equals(exact)).toBe(true);
    expect(await leftovers()).toEqual([]);
  });
});

describe('the name of a file', () => {
  /** Names as bytes on the wire, and what becomes of them: the stored path, or null for a refusal. */
  const NAMES: [disposition: string, stored: string | null][] = [
    ['; filename="a\0.png"', null],
    ['; filename="a/\0/b.png"', null],
    ['; filename="a\x1b[2J.png"', null],
    ['; filename="\\\\\\\\server\\\\share\\\\a.png"', null],
    ['; filename="..\\\\..\\\\a.png"', null],
    ['; filename="a/../../../etc/passwd"', null],
    ['; filename=".."', null],
    ['; filename="/"', null],
    ['; filename="plate\\\\B02\\\\a.png"', 'plate/B02/a.png'],
    ['; filename="say \\"hi\\".png"', 'say "hi".png'],
    ["; filename*=UTF-8''pl%C3%A4t%2Fa.png", 'plät/a.png'],
    ["; filename*=UTF-8''..%2Fup.png", null],
    ["; filename*=UTF-8''a%00.png", null],
    [`; filename="${'d/'.repeat(400)}a.png"`, `${'d/'.repeat(400)}a.png`],
    [`; filename="${'é'.repeat(128)}"`, null],
    [`; filename="${'é'.repeat(127)}"`, 'é'.repeat(127)],
    [`; filename="${'d/'.repeat(600)}a.png"`, null],
  ];

  it('is kept as it is or refused with a reason, whatever its bytes, and never leads out of the folder', async () => {
    const { status, body } = await post(rawBody(NAMES.map(([disposition]) => ({ disposition, bytes: png }))));
    expect(status).toBe(201);
    const kept = NAMES.flatMap(([, stored]) => stored ?? []);
    expect(body.images.map(({ name, relativePath }) => relativePath ?? name)).toEqual(kept);
    expect(body.images.map(({ name }) => name)).toEqual(kept.map((stored) => stored.split('/').at(-1)));
    expect(body.rejected.map(({ code }) => code)).toEqual(
      NAMES.filter(([, stored]) => stored === null).map(() => 'INVALID_NAME'),
    );
    for (const { message } of body.rejected) expect(message.length).toBeGreaterThan(10);
    // Bytes lie under their hash, whatever the names.
    const files = await readdir(service.dataDir, { recursive: true });
    expect(files.filter((file) => /passwd|B02|\.png/.test(file))).toEqual([]);
    const { items } = await page<Image>(service, path(), { limit: 500, sort: '-createdAt' });
    expect(
      items
        .slice(0, kept.length)
        .map(({ relativePath, name }) => relativePath ?? name)
        .sort(),
    ).toEqual(kept.toSorted());
  });

  it('is answered the same again under an Idempotency-Key, however strange', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    const strange = ['a\0.png', '\u007f', '../x.png'];
    const raw = rawBody(['good.png', ...strange].map((name) => ({ disposition: `; filename="${name}"`, bytes: png })));
    const first = await post({ ...raw, headers: { ...raw.headers, ...headers } });
    expect(first).toMatchObject({ status: 201 });
    expect(first.body.rejected.map(({ name }) => name)).toEqual(strange);
    const again = await post({ ...raw, headers: { ...raw.headers, ...headers } });
    expect(again).toEqual(first);
  });
});

describe('an Idempotency-Key', () => {
  it.each([
    ['', 400],
    ['k', 201],
    ['k'.repeat(200), 201],
    ['k'.repeat(201), 400],
  ])('%j is answered with %i', async (key, expected) => {
    const { status, body } = await post({
      body: form([{ name: 'a.png', bytes: png }]),
      headers: { 'idempotency-key': key },
    });
    expect([status, body.message?.includes('idempotency-key') ?? null]).toEqual([expected, expected === 400 || null]);
  });
});

describe('the body of an upload', () => {
  it('is refused with 413 where it says that it is larger than all files may be', async () => {
    const small = await startTestApp({ MAX_FILE_BYTES: '10000' });
    try {
      const { id } = await newProject(small);
      const files = [{ name: 'large.png', bytes: Buffer.alloc(3_000_000) }];
      const reply = await small.call(`/api/projects/${id}/images`, { method: 'POST', body: form(files) });
      expect(reply.status).toBe(413);
      const { code, message } = (await reply.json()) as ErrorBody;
      expect([code, message]).toEqual([
        'BODY_TOO_LARGE',
        expect.stringMatching(/ bytes: at most 2048576 are allowed$/),
      ]);
      expect((await page(small, `/api/projects/${id}/images`)).total).toBe(0);
    } finally {
      await small.close();
    }
  });
});
