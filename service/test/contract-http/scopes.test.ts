import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody, Scope } from '#contract/common.ts';
import { SCOPES } from '#contract/common.ts';
import type { Document, Operation } from '../../src/openapi/document.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { ERROR_FIELDS, UNKNOWN, createAskers, newProject, type Asker } from './support.ts';

/**
 * What each route needs, by hand: reading is `read`, changing is `write`, keys and the audit are `admin`, figures are `metrics`.
 * `any`: whoever has a good key. `open`: nobody is asked. `own`: takes a key to give a session for it, and asks for no other.
 */
const NEEDS: Readonly<Record<string, Scope | 'any' | 'open' | 'own'>> = {
  'POST /api/session': 'own',
  'GET /api/session': 'any',
  'DELETE /api/session': 'any',
  'POST /api/projects': 'write',
  'GET /api/projects': 'read',
  'GET /api/projects/{id}': 'read',
  'PATCH /api/projects/{id}': 'write',
  'DELETE /api/projects/{id}': 'write',
  'POST /api/projects/{id}/images': 'write',
  'GET /api/projects/{id}/images': 'read',
  'GET /api/projects/{id}/index': 'read',
  'GET /api/images/{id}': 'read',
  'DELETE /api/images/{id}': 'write',
  'GET /api/images/{id}/timeline': 'read',
  'GET /api/images/{id}/file': 'read',
  'GET /api/images/{id}/render': 'read',
  'GET /api/images/{id}/overlay': 'read',
  'GET /api/images/{id}/segmentation': 'read',
  'POST /api/projects/{id}/batches': 'write',
  'GET /api/projects/{id}/batches': 'read',
  'GET /api/batches/{id}': 'read',
  'POST /api/batches/{id}/pause': 'write',
  'POST /api/batches/{id}/resume': 'write',
  'POST /api/batches/{id}/cancel': 'write',
  'POST /api/batches/{id}/retry': 'write',
  'GET /api/batches/{id}/failures': 'read',
  'GET /api/queue': 'read',
  'GET /api/events': 'read',
  'POST /api/segmentation/batch/results': 'read',
  // A file of what the key may read anyway.
  'POST /api/batches/{id}/exports': 'read',
  'GET /api/exports/{id}': 'read',
  'GET /api/download/{exportId}': 'read',
  'GET /api/metrics/health': 'metrics',
  'GET /api/metrics/summary': 'metrics',
  'GET /api/metrics/performance': 'metrics',
  'GET /api/metrics/slow-queries': 'metrics',
  'GET /api/metrics/endpoints': 'metrics',
  'POST /api/keys': 'admin',
  'GET /api/keys': 'admin',
  'DELETE /api/keys/{id}': 'admin',
  'GET /api/audit': 'admin',
  // Each field of a document asks for its own scope.
  'POST /graphql': 'any',
  'GET /graphql': 'read',
  'GET /metrics': 'metrics',
  'GET /healthz': 'open',
  'GET /readyz': 'open',
  'GET /openapi.json': 'open',
  'GET /docs': 'open',
};
const isScope = (name: Asker): name is Scope => (SCOPES as readonly string[]).includes(name);

/** The status that says who may not, or `answered` for every other. */
function expectedOf(need: (typeof NEEDS)[string], asker: Asker): string {
  if (need === 'open') return 'answered';
  if (need === 'own') return isScope(asker) || asker === 'no key' ? 'answered' : '401';
  if (!isScope(asker)) return '401';
  return need === 'any' || need === asker ? 'answered' : '403';
}

let service: TestApp;
let operations: Map<string, Operation & { 'x-scope'?: string }>;
let askers: Map<Asker, string | null>;
let projectId: string;
beforeAll(async () => {
  service = await startTestApp();
  const document = (await (await service.call('/openapi.json')).json()) as Document;
  operations = new Map(
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => [`${method.toUpperCase()} ${path}`, operation] as const),
    ),
  );
  askers = await createAskers(service);
  projectId = (await newProject(service)).id;
});
afterAll(() => service.close());

/** One answer of the matrix; a refusal must have the fields of an error. */
async function answerTo(method: string, path: string, key: string | null): Promise<string> {
  const reply = await service.call(path.replace(/\{\w+\}/, UNKNOWN), { method, key });
  const text = await reply.text();
  if (reply.status !== 401 && reply.status !== 403) return reply.status < 500 ? 'answered' : String(reply.status);
  if (method === 'HEAD') return String(reply.status);
  const body = JSON.parse(text) as ErrorBody;
  // GraphQL says the same in its own form as well.
  const fields = Object.keys(body).filter((name) => name !== 'errors');
  expect({ path, fields: fields.sort(), body }).toMatchObject({
    fields: ERROR_FIELDS,
    body: { statusCode: reply.status, code: reply.status === 401 ? 'UNAUTHENTICATED' : 'FORBIDDEN' },
  });
  return String(reply.status);
}

describe('what a route needs', () => {
  it('is written down here for every route of the document, and for no other', () => {
    expect([...operations.keys()].sort()).toEqual(Object.keys(NEEDS).sort());
  });

  it('is what the document says', () => {
    const said = [...operations].map(([at, operation]) => {
      if (operation['x-scope'] !== undefined) return [at, operation['x-scope']];
      return [at, operation.security?.length === 0 ? 'open' : 'any'];
    });
    const needed = Object.entries(NEEDS).map(([at, need]) => [at, need === 'own' ? 'open' : need]);
    expect(Object.fromEntries(said)).toEqual(Object.fromEntries(needed));
  });

  it('is what each kind of key is answered by, on every route, and to HEAD as to GET', async () => {
    const wrong: string[] = [];
    let asked = 0;
    for (const [at, need] of Object.entries(NEEDS)) {
      const [method, path] = at.split(' ') as [string, string];
      for (const one of method === 'GET' ? ['GET', 'HEAD'] : [method])
        for (const [asker, token] of askers) {
          const seen = await answerTo(one, path, token);
          const expected = expectedOf(need, asker);
          if (seen !== expected) wrong.push(`${one} ${path} with ${asker}: ${seen}, expected ${expected}`);
          asked++;
        }
    }
    expect(wrong).toEqual([]);
    expect(asked).toBeGreaterThan(500);
  });

  it.each(['/api/events?projectId=', '/graphql'])('is asked before the upgrade to a socket: %s', async (path) => {
    const url = service.url.replace('http', 'ws') + path + (path.endsWith('=') ? projectId : '');
    const open = (key: string | null) =>
      new Promise<string>((resolve) => {
        const headers = key === null ? {} : { authorization: `Bearer ${key}` };
        const socket = new WebSocket(url, path === '/graphql' ? ['graphql-transport-ws'] : [], { headers });
        socket.once('open', () => {
          socket.once('close', () => resolve('answered'));
          socket.close();
        });
        socket.once('unexpected-response', (_, { statusCode }) => resolve(String(statusCode)));
        socket.on('error', () => {});
      });
    for (const [asker, token] of askers) expect([asker, await open(token)]).toEqual([asker, expectedOf('read', asker)]);
  });

  it('is asked of a session as of its key, and ends with the key', async () => {
    for (const scope of SCOPES) {
      const { id, token } = await service.app.keys.create(`session of ${scope}`, [scope], null);
      const opened = await service.call('/api/session', { method: 'POST', key: token });
      const cookie = opened.headers.getSetCookie()[0]!.split(';')[0]!;
      const statuses = async () =>
        Promise.all(
          ['/api/projects', '/api/audit', '/metrics', '/api/session'].map(
            async (path) => (await service.call(path, { key: null, headers: { cookie } })).status,
          ),
        );
      const allowed = (needed: Scope) => (scope === needed ? 200 : 403);
      expect([scope, await statuses()]).toEqual([scope, [allowed('read'), allowed('admin'), allowed('metrics'), 200]]);
      expect((await service.call(`/api/keys/${id}`, { method: 'DELETE' })).status).toBe(204);
      expect([scope, await statuses()]).toEqual([scope, [401, 401, 401, 401]]);
    }
  });

  it('lets a key of two scopes do what either may, and nothing else', async () => {
    const { token } = await service.app.keys.create('two', ['read', 'metrics'], null);
    const statuses = ['/api/projects', '/api/metrics/summary', '/metrics', '/api/keys', '/api/audit'].map(
      async (path) => (await service.call(path, { key: token })).status,
    );
    expect(await Promise.all(statuses)).toEqual([200, 200, 200, 403, 403]);
    expect((await service.call('/api/projects', { method: 'POST', json: { name: 'x' }, key: token })).status).toBe(403);
  });
});
