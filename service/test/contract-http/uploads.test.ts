import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import type { UploadReply } from '#contract/images.ts';
import { createIdempotency } from '../../src/ingest/idempotency.ts';
import { until } from '../batches/fixture.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';

let service: TestApp;
let one: Buffer;
let two: Buffer;
beforeAll(async () => {
  service = await startTestApp();
  [one, two] = await Promise.all([picture(1), picture(2)]);
});
afterAll(() => service.close());

const newProject = async (): Promise<string> => {
  const reply = await service.call('/api/projects', { method: 'POST', json: { name: 'uploads' } });
  return ((await reply.json()) as { id: string }).id;
};
type Files = Parameters<typeof form>[0];
const upload = (projectId: string, files: Files, headers: Record<string, string> = {}, key?: string) =>
  service.call(`/api/projects/${projectId}/images`, {
    method: 'POST',
    body: form(files),
    headers,
    ...(key === undefined ? {} : { key }),
  });
const count = async (projectId: string) =>
  (await service.sql`select 1 from images where project_id = ${projectId}`).length;

describe('Idempotency-Key', () => {
  const files = (): Files => [
    { name: 'a/one.png', bytes: one },
    { name: 'two.png', bytes: two },
    { name: 'bad.png', bytes: Buffer.from('no picture') },
  ];

  it('gives the first answer again for the same files, whatever their boundary', async () => {
    const projectId = await newProject();
    const headers = { 'idempotency-key': randomUUID() };
    const first = await upload(projectId, files(), headers);
    const again = await upload(projectId, files(), headers);
    expect([first.status, again.status]).toEqual([201, 201]);
    expect([first, again].map((reply) => reply.headers.get('idempotency-replayed'))).toEqual([null, 'true']);
    expect(await again.json()).toEqual(await first.json());
    expect(await count(projectId)).toBe(2);
  });

  it.each<[what: string, change: (files: Files) => Files]>([
    ['other bytes', ([first, ...rest]) => [{ ...first!, bytes: two }, ...rest]],
    ['another name', ([first, ...rest]) => [{ ...first!, name: 'b/one.png' }, ...rest]],
    ['another order', (all) => all.toReversed()],
    ['a file less', (all) => all.slice(1)],
    ['a file more', (all) => [...all, all[0]!]],
    [
      'other bytes of a refused file',
      (all) => [...all.slice(0, 2), { name: 'bad.png', bytes: Buffer.from('still none') }],
    ],
    ['another refused name', (all) => [...all, { name: '../out.png', bytes: one }]],
  ])('refuses %s under the same key, and keeps nothing of it', async (_, change) => {
    const projectId = await newProject();
    const key = randomUUID();
    expect((await upload(projectId, files(), { 'idempotency-key': key })).status).toBe(201);
    const reply = await upload(projectId, change(files()), { 'idempotency-key': key });
    expect(reply.status).toBe(422);
    expect(await reply.json()).toMatchObject({
      code: 'IDEMPOTENCY_MISMATCH',
      message: expect.stringMatching(new RegExp(`Idempotency-Key is "${key}".*expected the same body`)),
    });
    expect(await count(projectId)).toBe(2);
    expect((await upload(projectId, files(), { 'idempotency-key': key })).headers.get('idempotency-replayed')).toBe(
      'true',
    );
  });

  it('runs one of two that come at once, whether they are alike or not', async () => {
    const projectId = await newProject();
    const headers = { 'idempotency-key': randomUUID() };
    const alike = await Promise.all(Array.from({ length: 4 }, () => upload(projectId, files(), headers)));
    expect(alike.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    const [first, ...others] = await Promise.all(alike.map((reply) => reply.json()));
    expect(others).toEqual([first, first, first]);
    expect(await count(projectId)).toBe(2);
    const other = { 'idempotency-key': randomUUID() };
    const unlike = await Promise.all([
      upload(projectId, [{ name: 'x.png', bytes: one }], other),
      upload(projectId, [{ name: 'y.png', bytes: two }], other),
    ]);
    expect(unlike.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 422]);
    expect(await count(projectId)).toBe(3);
  });

  it('belongs to one project and one API key', async () => {
    const [first, second] = [await newProject(), await newProject()];
    const headers = { 'idempotency-key': randomUUID() };
    const made = await service.call('/api/keys', { method: 'POST', json: { name: 'other', scopes: ['write'] } });
    const { token } = (await made.json()) as { token: string };
    const replies = [
      await upload(first, [{ name: 'x.png', bytes: one }], headers),
      await upload(second, [{ name: 'y.png', bytes: two }], headers),
      await upload(first, [{ name: 'z.png', bytes: two }], headers, token),
    ];
    expect(replies.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect([await count(first), await count(second)]).toEqual([2, 1]);
  });

  it('stays taken while a slow upload runs, however long', async () => {
    const { sql } = service;
    const idempotency = createIdempotency(sql, { waitMs: 200, signOfLifeMs: 20 });
    const at = { keyId: randomUUID(), route: 'POST /slow', key: 'k' };
    const gate = Promise.withResolvers<void>();
    const fingerprint = () => Promise.resolve(Buffer.alloc(32));
    const answer = { statusCode: 201, reply: { slow: true } };
    const slow = idempotency.once(at, fingerprint, async (save) => {
      await gate.promise;
      await sql.begin((tx) => save(tx, { ...answer, fingerprint: Buffer.alloc(32) }));
      return answer;
    });
    const age = async () => {
      const [row] = await sql<{ s: number }[]>`
        select extract(epoch from now() - created_at)::float8 as s from idempotency where route = 'POST /slow'`;
      return row?.s;
    };
    await until(async () => (await age()) !== undefined);
    // As if it had begun ten minutes ago.
    await sql`update idempotency set created_at = now() - interval '10 minutes' where route = 'POST /slow'`;
    await until(async () => (await age())! < 60);
    const twin = idempotency.once(at, fingerprint, () => Promise.reject(new Error('ran twice')));
    await expect(twin).rejects.toMatchObject({ code: 'IDEMPOTENCY_IN_USE', statusCode: 409 });
    gate.resolve();
    expect(await slow).toMatchObject({ replayed: false });
    const after = await idempotency.once(at, fingerprint, () => Promise.reject(new Error('ran twice')));
    expect(after).toEqual({ ...answer, replayed: true });
  });

  it('is given to another once its process is dead, and a dead one that comes back changes nothing', async () => {
    const { sql } = service;
    // gives no sign of life, as if it were stopped
    const stopped = createIdempotency(sql, { signOfLifeMs: 3_600_000 });
    const idempotency = createIdempotency(sql, { waitMs: 200 });
    const at = { keyId: randomUUID(), route: 'POST /dead', key: 'k' };
    const fingerprint = () => Promise.resolve(Buffer.alloc(32));
    const gate = Promise.withResolvers<void>();
    type Work = Parameters<typeof idempotency.once>[2];
    const answering =
      (who: string, before: Promise<void> = Promise.resolve()): Work =>
      async (save) => {
        await before;
        const answer = { statusCode: 201, reply: { who } };
        await sql.begin((tx) => save(tx, { ...answer, fingerprint: Buffer.alloc(32) }));
        return answer;
      };
    const late = stopped.once(at, fingerprint, answering('the dead one', gate.promise));
    late.catch(() => {});
    const begun = () => sql`select 1 from idempotency where route = 'POST /dead'`;
    await until(async () => (await begun()).length === 1);
    await sql`update idempotency set created_at = now() - interval '11 seconds' where route = 'POST /dead'`;
    const other = await idempotency.once(at, fingerprint, answering('the other'));
    expect(other).toMatchObject({ reply: { who: 'the other' }, replayed: false });
    gate.resolve();
    await expect(late).rejects.toMatchObject({ code: 'IDEMPOTENCY_IN_USE' });
    const after = await idempotency.once(at, fingerprint, () => Promise.reject(new Error('ran twice')));
    expect(after).toMatchObject({ reply: { who: 'the other' }, replayed: true });
  });
});

describe('files of a request', () => {
  it('keep their relative paths, and none leaves its folder', async () => {
    const projectId = await newProject();
    const names = ['plate 7/B03/füld ☃.png', 'a\\b\\c.png', './d/./e.png', 'plain.png'];
    const bad = ['../up.png', 'a/../../up.png', '/etc/x.png', 'C:\\x.png', 'a/..', '..\\up.png'];
    const reply = await upload(
      projectId,
      [...names, ...bad].map((name) => ({ name, bytes: one })),
    );
    expect(reply.status).toBe(201);
    const { images, rejected } = (await reply.json()) as UploadReply;
    expect(images.map(({ name, relativePath }) => [name, relativePath])).toEqual([
      ['füld ☃.png', 'plate 7/B03/füld ☃.png'],
      ['c.png', 'a/b/c.png'],
      ['e.png', 'd/e.png'],
      ['plain.png', null],
    ]);
    expect(rejected.map(({ name, code }) => [name, code])).toEqual(bad.map((name) => [name, 'INVALID_NAME']));
  });

  it('are 100 at most, and the answer to one more names the limit', async () => {
    const projectId = await newProject();
    const many = (length: number) => Array.from({ length }, (_, index) => ({ name: `${index}.png`, bytes: one }));
    const full = await upload(projectId, many(100));
    expect(full.status).toBe(201);
    const { images } = (await full.json()) as UploadReply;
    // Identical bytes share storage, never a row.
    expect([
      images.length,
      new Set(images.map(({ id }) => id)).size,
      new Set(images.map(({ sha256 }) => sha256)).size,
    ]).toEqual([100, 100, 1]);
    const over = await upload(projectId, many(101));
    expect(over.status).toBe(400);
    const { code, message } = (await over.json()) as ErrorBody;
    expect(code).toBe('TOO_MANY_FILES');
    expect(message).toBe('the request has more than 100 files: at most 100 are allowed');
    expect(await count(projectId)).toBe(100);
  });
});
