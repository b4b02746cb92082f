import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { ErrorBody } from '#contract/common.ts';
import { createDatabase } from '../../src/database/client.ts';
import { startService, type Service } from '../../src/supervise.ts';
import { testServers } from '../../../test/servers.ts';
import { until } from '../batches/fixture.ts';
import { form, picture } from '../support/pictures.ts';

/** A small run in real processes that log all they can, and every secret that it used. */
const servers = testServers();
const secrets = new Map<string, string>();
const logged: string[] = [];
const shown: string[] = [];
const admin = createDatabase(servers.adminUrl, { max: 1 });
let database: Awaited<ReturnType<typeof servers.createDatabase>>;
let service: Service;
let dataDir: string;
const role = `u${randomUUID().slice(0, 8)}`;
const secret = (name: string, value = randomBytes(30).toString('base64url')): string => {
  secrets.set(name, value);
  return value;
};

beforeAll(async () => {
  database = await servers.createDatabase();
  const url = new URL(database.url);
  await admin.unsafe(`create role ${role} superuser login password '${secret('database password')}'`);
  url.username = role;
  url.password = secrets.get('database password')!;
  dataDir = await mkdtemp(join(tmpdir(), 'segbench-secrets-'));
  service = await startService({
    databaseUrl: url.href,
    queueRedisUrl: servers.queueRedisUrl,
    cacheRedisUrl: servers.cacheRedisUrl,
    dataDir,
    workers: 1,
    env: {
      BOOTSTRAP_API_KEY: secret('bootstrap key', randomBytes(40).toString('base64url')),
      URL_SIGNING_KEY: secret('signing key', randomBytes(40).toString('base64url')),
      // nobody listens there: each purge fails, and is logged
      CDN_PURGE: 'custom',
      CDN_PURGE_URL: 'http://127.0.0.1:1/purge/{id}',
      CDN_PURGE_TOKEN: secret('purge token'),
      CDN_BASE_URL: 'http://127.0.0.1:1',
      CDN_PURGE_HOSTS: '127.0.0.1:1',
      QUEUE_PREFIX: servers.prefix(),
      DATABASE_LOST_MS: '60000',
      LOG_LEVEL: 'trace',
    },
    log: (_, line) => logged.push(line),
  });
});
afterAll(async () => {
  await service?.stop();
  await database?.drop();
  await admin.unsafe(`drop role if exists ${role}`);
  await admin.end({ timeout: 5 });
  await rm(dataDir, { recursive: true, force: true });
});

async function call(path: string, init: RequestInit & { json?: unknown; key?: string | null } = {}): Promise<Response> {
  const { key = secrets.get('bootstrap key')!, json, ...rest } = init;
  const headers = new Headers(rest.headers);
  if (key !== null) headers.set('authorization', `Bearer ${key}`);
  if (json !== undefined) headers.set('content-type', 'application/json');
  const reply = await fetch(service.url + path, {
    ...rest,
    headers,
    ...(json !== undefined && { body: JSON.stringify(json) }),
  });
  const bytes = Buffer.from(await reply.arrayBuffer());
  // where a secret is given out, it is taken note of instead
  if (!/\/(keys|rotate|session)$/.test(path)) {
    const visible = [...reply.headers].map(([name, value]) => `${name}: ${value}`);
    shown.push(`${path}\n${visible.join('\n')}\n${bytes.toString('latin1')}`);
  }
  return new Response([204, 304].includes(reply.status) ? null : bytes, {
    status: reply.status,
    headers: reply.headers,
  });
}
const field = async (reply: Promise<Response>, name: string) =>
  ((await (await reply).json()) as Record<string, string>)[name]!;
const post = (path: string, json: unknown = {}, more: object = {}) => call(path, { method: 'POST', json, ...more });
/** A token, and the part of it that is secret. */
const learn = (name: string, token: string): string => {
  secret(`${name}, its secret`, token.split('.').at(-1)!);
  return secret(name, token);
};

it('no secret of a run is in a log, an address, a reply or a metric, and a 5xx hides what failed', async () => {
  const made = (await (
    await post('/api/keys', { name: 'k', scopes: ['read', 'write', 'admin', 'metrics'] })
  ).json()) as { id: string; token: string };
  learn('made key', made.token);
  const key = learn('rotated key', await field(post(`/api/keys/${made.id}/rotate`, { overlapSeconds: 60 }), 'token'));
  const others = learn(
    'key of a tenant',
    await field(post('/api/keys', { name: 't', scopes: ['read'], tenant: 't' }), 'token'),
  );
  const session = await call('/api/session', { method: 'POST', key: null, json: { key } });
  const cookie = session.headers.get('set-cookie')!.split(';')[0]!;
  secret('session', cookie.split('=')[1]!);

  const projectId = await field(post('/api/projects', { name: 'p' }, { key }), 'id');
  const body = form([{ name: 'a.png', bytes: await picture(1) }]);
  await call(`/api/projects/${projectId}/images`, { method: 'POST', body, key });
  const batchId = await field(post(`/api/projects/${projectId}/batches`, { all: true }, { key }), 'id');
  await until(async () => (await field(call(`/api/batches/${batchId}`, { key }), 'status')) === 'completed');
  const exportId = await field(post(`/api/batches/${batchId}/exports`, { format: 'csv' }, { key }), 'id');
  await until(async () => (await field(call(`/api/exports/${exportId}`, { key }), 'status')) === 'ready');
  const { items } = (await (await call(`/api/projects/${projectId}/images`, { key })).json()) as {
    items: { id: string; thumbnailUrl: string }[];
  };
  const thumbnail = new URL(items[0]!.thumbnailUrl);
  await call(thumbnail.pathname + thumbnail.search, { key: null });
  await call('/api/projects', { key: null, headers: { cookie } });
  await new Promise<void>((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}` };
    const socket = new WebSocket(`${service.url.replace('http', 'ws')}/api/events?projectId=${projectId}`, { headers });
    socket.on('message', () => socket.close());
    socket.on('close', () => resolve());
    socket.on('error', reject);
  });
  // what is refused, and what fails, is logged the most
  for (const wrong of [key.slice(0, -1), `${others}x`, `${made.id}.${secrets.get('session')}`])
    await call('/api/projects', { key: wrong });
  await post('/graphql', { query: '{ projects { items { id } } }' }, { key });
  await post('/graphql', { query: '{ nothing }' }, { key });
  await call(`/api/images/${items[0]!.id}`, { method: 'DELETE', key });
  for (const path of ['health', 'summary', 'performance', 'slow-queries', 'endpoints'])
    await call(`/api/metrics/${path}`, { key });
  await call('/metrics', { key });
  for (const { metricsUrl } of service.processes) shown.push(await (await fetch(metricsUrl)).text());
  await call('/api/audit', { key });
  shown.push(await (await fetch(`${service.url}/openapi.json`)).text());

  // something fails inside
  const sql = createDatabase(database.url, { max: 1 });
  await sql`alter table exports rename to away`;
  const failed: ErrorBody[] = [];
  for (const who of [key, others]) {
    const reply = await call(`/api/exports/${exportId}`, { key: who });
    failed.push((await reply.json()) as ErrorBody);
  }
  const graph = await (await post('/graphql', { query: `{ export(id: "${exportId}") { id } }` }, { key })).text();
  await sql`alter table away rename to exports`;
  await sql.end({ timeout: 5 });
  expect(failed.map(({ statusCode, code, message }) => [statusCode, code, message])).toEqual(
    failed.map(() => [500, 'INTERNAL', 'something failed inside; the log has the details']),
  );
  expect(graph).toContain('INTERNAL');
  expect(
    [graph, ...failed.map(({ message }) => message)].filter((text) => /relation|exports"|select|postgres/i.test(text)),
  ).toEqual([]);
  await until(() => logged.some((line) => line.includes('relation \\"exports\\" does not exist')));

  await call('/api/session', { method: 'DELETE', key: null, headers: { cookie, origin: service.url } });
  secrets.set(
    'kept signing key',
    await readFile(join(dataDir, 'url-signing.key'), 'utf8').catch(() => secrets.get('signing key')!),
  );
  expect(secrets.size).toBeGreaterThan(10);
  expect([logged.length > 5, shown.length > 25]).toEqual([true, true]);
  const leaks = [...secrets].flatMap(([name, value]) =>
    [
      ['log', logged],
      ['reply', shown],
    ].flatMap(([where, texts]) =>
      (texts as string[])
        .filter((text) => text.includes(value))
        .map((text) => `${name} in a ${where as string}: ${text.slice(0, 200)}`),
    ),
  );
  expect(leaks).toEqual([]);
}, 180_000);
