import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { request } from 'node:http';
import { brotliDecompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import { EndpointsReply, HealthReply, PerformanceReply, SlowQueriesReply, SummaryReply } from '#contract/metrics.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';

const UNKNOWN = '00000000-0000-4000-8000-000000000001';
/** A cursor that no list gave out. */
const forged = (order: string, value: unknown) =>
  Buffer.from(JSON.stringify([order, value, UNKNOWN])).toString('base64url');

let service: TestApp;
let pages: string;

beforeAll(async () => {
  pages = await mkdtemp(join(tmpdir(), 'segbench-pages-'));
  await mkdir(join(pages, 'assets'));
  await writeFile(join(pages, 'index.html'), '<!doctype html><title>app</title>');
  await writeFile(join(pages, 'gallery.html'), '<!doctype html><title>gallery</title>');
  await writeFile(join(pages, 'naive.html'), '<!doctype html><title>naive</title>');
  await writeFile(join(pages, 'assets', 'a-1.js'), 'plain');
  await writeFile(join(pages, 'assets', 'a-1.js.br'), 'packed');
  service = await startTestApp({ DASHBOARDS_DIR: pages });
});
afterAll(async () => {
  await service.close();
  await rm(pages, { recursive: true, force: true });
});

/** `fetch` would decompress; this shows the bytes on the wire. */
function raw(
  path: string,
  headers: Record<string, string>,
): Promise<{ headers: Record<string, unknown>; body: Buffer }> {
  return new Promise((resolve, reject) => {
    request(service.url + path, { headers: { authorization: `Bearer ${TEST_KEY}`, ...headers } }, (reply) => {
      const chunks: Buffer[] = [];
      reply.on('data', (chunk: Buffer) => chunks.push(chunk));
      reply.on('end', () => resolve({ headers: reply.headers, body: Buffer.concat(chunks) }));
    })
      .on('error', reject)
      .end();
  });
}

describe('metrics', () => {
  it.each<[string, TSchema]>([
    ['health', HealthReply],
    ['summary', SummaryReply],
    ['performance', PerformanceReply],
    ['slow-queries', SlowQueriesReply],
    ['endpoints', EndpointsReply],
  ])('answers /api/metrics/%s in the contract’s shape', async (name, schema) => {
    const body: unknown = await (await service.call(`/api/metrics/${name}`)).json();
    expect([...Value.Errors(schema, body)]).toEqual([]);
  });

  it('reports true values of the last minute', async () => {
    await service.tenant.sql`select pg_sleep(0.06)`;
    const slow = (await (await service.call('/api/metrics/slow-queries')).json()) as {
      slowQueries: { query: string; duration: number }[];
    };
    const query = slow.slowQueries.find((entry) => entry.query.includes('pg_sleep'));
    expect(query!.duration).toBeGreaterThan(50);
    const endpoints = (await (await service.call('/api/metrics/endpoints')).json()) as {
      totalRequests: number;
      slowEndpoints: { endpoint: string }[];
    };
    expect(endpoints.totalRequests).toBeGreaterThan(0);
    expect(endpoints.slowEndpoints.map(({ endpoint }) => endpoint)).toContain('GET /api/metrics/slow-queries');
  });

  it('gives Prometheus text with a scoped key only', async () => {
    expect((await service.call('/metrics', { key: null })).status).toBe(401);
    const text = await (await service.call('/metrics')).text();
    expect(text).toMatch(/segbench_http_request_duration_seconds_bucket\{le="0.2",/);
    expect(text).toContain('segbench_db_query_duration_seconds_bucket{le="0.05"');
  });

  it('answers /healthz and /readyz without a key', async () => {
    expect((await service.call('/healthz', { key: null })).status).toBe(200);
    expect((await service.call('/readyz', { key: null })).status).toBe(200);
  });
});

describe('the document', () => {
  it('is OpenAPI 3.1 and names every route of the contract', async () => {
    const document = (await (await service.call('/openapi.json', { key: null })).json()) as {
      openapi: string;
      paths: Record<string, object>;
    };
    expect(document.openapi).toBe('3.1.0');
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method} ${path}`),
    );
    for (const operation of [
      'post /api/projects',
      'patch /api/projects/{id}',
      'post /api/projects/{id}/images',
      'get /api/projects/{id}/index',
      'get /api/images/{id}/file',
      'get /api/images/{id}/timeline',
      'get /api/images/{id}/render',
      'get /api/images/{id}/overlay',
      'get /api/images/{id}/segmentation',
      'post /api/projects/{id}/batches',
      'post /api/batches/{id}/retry',
      'post /api/segmentation/batch/results',
      'post /api/batches/{id}/exports',
      'get /api/download/{exportId}',
      'get /api/metrics/performance',
      'delete /api/keys/{id}',
      'post /api/session',
      'get /api/audit',
      'get /metrics',
    ])
      expect(operations).toContain(operation);
    expect(JSON.stringify(document.paths['/api/projects/{id}/images'])).toContain('multipart/form-data":{"schema"');
    expect(await (await service.call('/docs', { key: null })).text()).toContain('/api/segmentation/batch/results');
  });
});

describe('replies', () => {
  it('compresses JSON over 1 KB when the client takes it, and counts the bytes', async () => {
    const counted = async (stage: string) => {
      const { values } = await service.app.metrics.compressionBytes.get();
      const own = values.filter(({ labels }) => labels.stage === stage && labels.route === '/openapi.json');
      return own.reduce((sum, { value }) => sum + value, 0);
    };
    const [before, after] = [await counted('before'), await counted('after')];
    const plain = await raw('/openapi.json', { 'accept-encoding': 'identity' });
    const packed = await raw('/openapi.json', { 'accept-encoding': 'gzip, br' });
    expect(plain.headers['content-encoding']).toBeUndefined();
    expect(packed.headers['content-encoding']).toBe('br');
    expect(brotliDecompressSync(packed.body).equals(plain.body)).toBe(true);
    expect((await raw('/healthz', { 'accept-encoding': 'gzip' })).headers['content-encoding']).toBeUndefined();
    expect((await counted('before')) - before).toBe(plain.body.length * 2);
    expect((await counted('after')) - after).toBe(plain.body.length + packed.body.length);
  });

  it('names field, value and what is allowed when a body is wrong', async () => {
    const bad = async (json: unknown) =>
      (await (await service.call('/api/projects', { method: 'POST', json })).json()) as {
        statusCode: number;
        message: string;
      };
    expect(await bad({})).toMatchObject({ statusCode: 400, code: 'VALIDATION', message: 'body.name is missing' });
    expect((await bad({ name: 5 })).message).toBe('body.name is 5: expected string');
    expect((await bad({ name: 'x', size: 1 })).message).toBe(
      'body has the unknown field "size": allowed are name, pixelSizeUm',
    );
    expect((await bad({ name: 'x', pixelSizeUm: -1 })).message).toBe('body.pixelSizeUm is -1: it must be > 0');
    const broken = await service.call('/api/projects', {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json' },
    });
    expect(broken.status).toBe(400);
    const huge = await service.call('/api/projects', {
      method: 'POST',
      body: `"${'x'.repeat(2_000_000)}"`,
      headers: { 'content-type': 'application/json' },
    });
    expect(huge.status).toBe(413);
    expect(((await (await service.call('/api/nothing')).json()) as { code: string }).code).toBe('NOT_FOUND');
  });

  it.each([
    ['GET', '/api/projects?offset=99999999999999999999', undefined],
    ['POST', '/api/projects', { name: 'a\0b' }],
    ['POST', '/api/keys', { name: '\0', scopes: ['read'] }],
    ['GET', `/api/projects?cursor=${forged('projects by createdAt', 'nonsense')}`, undefined],
    ['GET', `/api/projects?cursor=${forged('projects by createdAt', null)}`, undefined],
    ['GET', `/api/projects/${UNKNOWN}/images?q=%00`, undefined],
    ['GET', `/api/audit?cursor=${forged('audit by -id', 1.5)}`, undefined],
    ['POST', `/api/batches/${UNKNOWN}/pause`, { reason: 'lunch' }],
    ['POST', `/api/batches/${UNKNOWN}/cancel`, []],
  ])('answers 400 to what the database would choke on and to unknown fields: %s %s', async (method, path, json) => {
    const reply = await service.call(path, { method, ...(json === undefined ? {} : { json }) });
    expect(reply.status).toBe(400);
  });

  it('hides what failed inside', async () => {
    await service.sql`alter table audit rename to audit_away`;
    try {
      const reply = await service.call('/api/audit');
      expect(reply.status).toBe(500);
      expect(await reply.text()).not.toContain('audit');
    } finally {
      await service.sql`alter table audit_away rename to audit`;
    }
  });
});

describe('pages', () => {
  it('serves the application at its addresses and immutable assets, packed where there is a packed file', async () => {
    const titleOf = async (path: string) =>
      /<title>(.*)<\/title>/.exec(await (await service.call(path, { key: null })).text())?.[1];
    for (const path of ['/', '/images/1', '/runs', '/capacity', '/keys']) expect(await titleOf(path)).toBe('app');
    expect(await titleOf('/projects/00000000-0000-4000-8000-000000000001')).toBe('gallery');
    expect(await titleOf('/naive/projects/1')).toBe('naive');
    expect((await service.call('/blocker', { key: null })).status).toBe(404);
    const asset = await raw('/assets/a-1.js', { 'accept-encoding': 'br' });
    expect(asset.body.toString()).toBe('packed');
    expect(asset.headers['cache-control']).toContain('immutable');
    expect((await service.call('/assets/../index.html', { key: null })).status).toBe(404);
    expect((await service.call('/', { key: null })).headers.get('content-security-policy')).toContain(
      "frame-ancestors 'none'",
    );
  });
});
