import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import {
  brotliCompressSync,
  brotliDecompressSync,
  gunzipSync,
  gzipSync,
  zstdCompressSync,
  zstdDecompressSync,
} from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import { POLYGONS_MIME } from '#contract/results.ts';
import { finishedProject } from '../support/finished.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';

const MAX_JSON_BYTES = 64 * 1024;
let service: TestApp;
let batchId: string;
beforeAll(async () => {
  service = await startTestApp({ MAX_JSON_BYTES: String(MAX_JSON_BYTES) });
  ({ batchId } = await finishedProject(service.sql, 40, 30));
});
afterAll(() => service.close());

interface Answer {
  status: number;
  encoding: string | undefined;
  vary: string | undefined;
  body: Buffer;
}
/** `fetch` would decompress; this shows the bytes on the wire. */
function send(path: string, headers: Record<string, string>, body?: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${TEST_KEY}`, ...(body && { 'content-type': 'application/json' }), ...headers },
    };
    request(service.url + path, options, (reply) => {
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.on('end', () => {
        const { 'content-encoding': encoding, vary } = reply.headers;
        resolve({ status: reply.statusCode ?? 0, encoding, vary, body: Buffer.concat(chunks) });
      });
      reply.on('error', reject);
    })
      .on('error', reject)
      .end(body);
  });
}
const results = (headers: Record<string, string>) =>
  send('/api/segmentation/batch/results', headers, Buffer.from(JSON.stringify({ batchId })));

describe('replies', () => {
  it.each([
    ['br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['zstd', 'zstd', zstdDecompressSync],
    ['gzip;q=0.5, zstd', 'zstd', zstdDecompressSync],
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
  ] as const)(
    'to accept-encoding %s come as %s and save 60 to 80 %% or more of result JSON',
    async (accepts, encoding, unpack) => {
      const plain = await results({ 'accept-encoding': 'identity' });
      const packed = await results({ 'accept-encoding': accepts });
      expect([plain.encoding, packed.encoding]).toEqual([undefined, encoding]);
      expect(packed.vary).toContain('accept-encoding');
      expect(unpack(packed.body).equals(plain.body)).toBe(true);
      expect(1 - packed.body.length / plain.body.length).toBeGreaterThan(0.6);
    },
  );

  it('of the binary form and of nothing that the client takes are left as they are', async () => {
    const all = 'gzip, br, zstd';
    expect((await results({ 'accept-encoding': all, accept: POLYGONS_MIME })).encoding).toBeUndefined();
    expect((await results({ 'accept-encoding': 'compress' })).encoding).toBeUndefined();
    expect((await results({})).encoding).toBeUndefined();
  });
});

describe('bodies', () => {
  const path = '/api/projects';
  const named = (length: number) => Buffer.from(JSON.stringify({ name: 'x'.repeat(length) }));
  const refusal = ({ status, body }: Answer) => {
    const { code, message } = JSON.parse(body.toString()) as ErrorBody;
    return { status, code, message };
  };
  const PACKERS = [
    ['gzip', gzipSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const;

  it.each(PACKERS)('may come as %s', async (encoding, pack) => {
    const answer = await send(path, { 'content-encoding': encoding }, pack(named(20)));
    expect([answer.status, (JSON.parse(answer.body.toString()) as { name: string }).name]).toEqual([
      201,
      'x'.repeat(20),
    ]);
  });

  it.each(PACKERS)(
    'that are larger than allowed once unpacked from %s are refused while they unpack',
    async (encoding, pack) => {
      const bomb = pack(Buffer.alloc(200 * 1024 * 1024, ' '));
      expect(bomb.length).toBeLessThan(1024 * 1024);
      const within = bomb.length < MAX_JSON_BYTES ? bomb : pack(Buffer.alloc(16 * 1024 * 1024, ' '));
      const before = process.memoryUsage.rss();
      expect(refusal(await send(path, { 'content-encoding': encoding }, within))).toMatchObject({
        status: 413,
        code: 'BODY_TOO_LARGE',
      });
      expect(process.memoryUsage.rss() - before).toBeLessThan(64e6);
    },
  );

  it.each(PACKERS)('that are not %s, or only half of it, are refused by name', async (encoding, pack) => {
    const whole = pack(randomBytes(2000));
    for (const body of [named(5), whole.subarray(0, whole.length / 2)])
      expect(refusal(await send(path, { 'content-encoding': encoding }, body))).toEqual({
        status: 400,
        code: 'BAD_REQUEST',
        message: `body is not valid ${encoding}: expected what its content-encoding says`,
      });
  });

  it('in another encoding, and compressed uploads, are refused with what is allowed', async () => {
    expect(refusal(await send(path, { 'content-encoding': 'compress' }, named(5)))).toEqual({
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
      message: 'content-encoding is "compress": expected gzip, br, zstd',
    });
    const project = JSON.parse((await send(path, {}, named(5))).body.toString()) as { id: string };
    const headers = { 'content-encoding': 'gzip', 'content-type': 'multipart/form-data; boundary=b' };
    expect(refusal(await send(`/api/projects/${project.id}/images`, headers, gzipSync('--b--')))).toEqual({
      status: 415,
      code: 'UNSUPPORTED_MEDIA_TYPE',
      message: 'content-encoding is "gzip": expected none',
    });
  });

  it('of a request without one are not asked for', async () =>
    expect((await send(path, { 'content-encoding': 'gzip' })).status).toBe(200));
});
