import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Batch } from '#contract/batches.ts';
import type { Document } from '../../src/openapi/document.ts';
import { newScene } from '../graphql/support.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';
import { WEBHOOKS } from '../webhooks/receiver.ts';
import { auditRows, byCookie, makeKey, signIn, type Audit, type MadeKey } from './kit.ts';

let server: TestApp;
let document: Document;
let author: MadeKey;
/** Tokens of keys and sessions that were given out on the way. */
const secrets: string[] = [TEST_KEY];
beforeAll(async () => {
  server = await startTestApp(WEBHOOKS);
  document = (await (await server.call('/openapi.json')).json()) as Document;
  author = await makeKey(server, ['read', 'write', 'admin', 'metrics'], { name: 'author' });
  secrets.push(author.token);
});
afterAll(() => server.close());

type Init = Parameters<TestApp['call']>[1];
const UNKNOWN = '00000000-0000-4000-8000-000000000001';
const as = (path: string, method: string, init: Init = {}) => server.call(path, { method, key: author.token, ...init });
const idOf = async (reply: Response) => ((await reply.json()) as { id: string }).id;
const newProject = async () => idOf(await as('/api/projects', 'POST', { json: { name: 'audited' } }));
const oneFile = async () => form([{ name: 'a.png', bytes: await picture(Math.floor(performance.now() * 1000)) }]);
/** A project with an image that ended and one that failed. */
const scene = () => newScene(server, [3, null]);
const openBatch = async () => {
  const { project } = await scene();
  const reply = await as(`/api/projects/${project.id}/batches`, 'POST', { json: { all: true, force: true } });
  return ((await reply.json()) as Batch).id;
};

/** What a change did, and what its row says of it. */
interface Done {
  reply: Response;
  type: string;
  id: string;
  detail?: object;
}
/** Makes ready what the change needs; the change itself is what the returned function does. */
type Change = () => Promise<() => Promise<Done>>;
const verb =
  (name: string): Change =>
  async () => {
    const id = await openBatch();
    if (name === 'resume') await as(`/api/batches/${id}/pause`, 'POST');
    return async () => ({ reply: await as(`/api/batches/${id}/${name}`, 'POST'), type: 'batches', id });
  };
/** By operationId: every request that changes something. */
const CHANGES: Record<string, Change> = {
  createSession: async () => async () => {
    const reply = await server.call('/api/session', { method: 'POST', key: null, json: { key: author.token } });
    secrets.push(/=(ss_[\w-]+)/.exec(reply.headers.get('set-cookie')!)![1]!);
    return { reply, type: 'session', id: author.id };
  },
  deleteSession: async () => {
    const session = await signIn(server, author.token);
    return async () => ({
      reply: await byCookie(server, session, '/api/session', { method: 'DELETE' }),
      type: 'session',
      id: author.id,
    });
  },
  createProject: async () => async () => {
    const reply = await as('/api/projects', 'POST', { json: { name: 'made' } });
    return { reply, type: 'projects', id: await idOf(reply.clone()) };
  },
  updateProject: async () => {
    const id = await newProject();
    return async () => ({
      reply: await as(`/api/projects/${id}`, 'PATCH', { json: { name: 'renamed' } }),
      type: 'projects',
      id,
    });
  },
  deleteProject: async () => {
    const { project } = await scene();
    const detail = { name: project.name, images: 2 };
    return async () => ({
      reply: await as(`/api/projects/${project.id}`, 'DELETE'),
      type: 'projects',
      id: project.id,
      detail,
    });
  },
  uploadImages: async () => {
    const [id, body] = [await newProject(), await oneFile()];
    body.append('files', new Blob(['no image']), 'b.png');
    const reply = () => as(`/api/projects/${id}/images`, 'POST', { body });
    // The images are in a project: it is what the request names and changes.
    return async () => ({ reply: await reply(), type: 'projects', id, detail: { images: 1, rejected: 1 } });
  },
  deleteImage: async () => {
    const [image] = (await scene()).images;
    return async () => ({ reply: await as(`/api/images/${image!.id}`, 'DELETE'), type: 'images', id: image!.id });
  },
  createBatch: async () => {
    const { project } = await scene();
    return async () => {
      const reply = await as(`/api/projects/${project.id}/batches`, 'POST', { json: { all: true } });
      return { reply, type: 'batches', id: await idOf(reply.clone()) };
    };
  },
  pauseBatch: verb('pause'),
  resumeBatch: verb('resume'),
  cancelBatch: verb('cancel'),
  retryBatch: async () => {
    const { batchId } = await scene();
    return async () => {
      const reply = await as(`/api/batches/${batchId}/retry`, 'POST', { json: { only: 'failed' } });
      return { reply, type: 'batches', id: await idOf(reply.clone()) };
    };
  },
  createExport: async () => {
    const { batchId } = await scene();
    return async () => {
      const reply = await as(`/api/batches/${batchId}/exports`, 'POST', { json: { format: 'csv' } });
      return { reply, type: 'exports', id: await idOf(reply.clone()) };
    };
  },
  relayAlerts: async () => async () => {
    const alerts = [{ status: 'firing', labels: { alertname: 'a' } }];
    const reply = await as('/api/alerts', 'POST', { json: { version: '4', groupKey: 'g', status: 'firing', alerts } });
    return { reply, type: 'alerts', id: await idOf(reply.clone()) };
  },
  createKey: async () => async () => {
    const reply = await as('/api/keys', 'POST', { json: { name: 'made', scopes: ['read'] } });
    const { id, token } = (await reply.clone().json()) as MadeKey;
    secrets.push(token);
    return { reply, type: 'keys', id };
  },
  rotateKey: async () => {
    const { id, token } = await makeKey(server, ['read']);
    secrets.push(token);
    return async () => {
      const reply = await as(`/api/keys/${id}/rotate`, 'POST', { json: { overlapSeconds: 60 } });
      secrets.push(((await reply.clone().json()) as { token: string }).token);
      return { reply, type: 'keys', id, detail: { overlapSeconds: 60 } };
    };
  },
  deleteKey: async () => {
    const { id, token } = await makeKey(server, ['read']);
    secrets.push(token);
    return async () => ({ reply: await as(`/api/keys/${id}`, 'DELETE'), type: 'keys', id });
  },
};
let made: ReturnType<typeof scene> | undefined;
/** One that reads may look at, made once. */
const looked = () => (made ??= scene());

/** POST because of what they are told, not of what they do. Mutations of GraphQL: `audit-graphql.test.ts`. */
const READS: Record<string, () => Promise<Response>> = {
  readResults: async () => as('/api/segmentation/batch/results', 'POST', { json: { imageIds: [UNKNOWN] } }),
  forecastBatch: async () =>
    as(`/api/projects/${(await looked()).project.id}/forecast`, 'POST', { json: { all: true } }),
  queryGraph: async () => as('/graphql', 'POST', { json: { query: '{ me { name } }' } }),
};

const writing = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(([method]) => !['get', 'head', 'options'].includes(method))
      .map(([method, operation]) => ({ path, method: method.toUpperCase(), operation, id: operation.operationId! })),
  );
const newest = async (): Promise<number> => (await auditRows(server, 1))[0]!.id;
const since = async (id: number): Promise<Audit[]> => (await auditRows(server)).filter((row) => row.id > id);

it('is kept of every route that is not a reading one: a new one must say here what its row is', () => {
  expect(
    writing()
      .map(({ id }) => id)
      .toSorted(),
  ).toEqual([...Object.keys(CHANGES), ...Object.keys(READS)].toSorted());
});

describe('a change', () => {
  it.each(Object.keys(CHANGES))('%s leaves one row: who, what, on which object, when', async (operationId) => {
    const { path, method } = writing().find(({ id }) => id === operationId)!;
    const change = await CHANGES[operationId]!();
    const before = await newest();
    const startedAt = Date.now();
    const { reply, type, id, detail = null } = await change();
    expect(reply.status).toBeGreaterThanOrEqual(200);
    expect(reply.status).toBeLessThan(300);
    const rows = await since(before);
    expect(rows).toEqual([
      {
        id: expect.any(Number),
        at: expect.any(String),
        keyId: author.id,
        keyName: 'author',
        action: `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`,
        targetType: type,
        targetId: id,
        detail,
      },
    ]);
    // The clock of the database is this machine's.
    expect(Math.abs(Date.parse(rows[0]!.at) - startedAt)).toBeLessThan(60_000);
  });

  it.each(Object.keys(READS))('%s is none, and leaves no row', async (operationId) => {
    await looked();
    const before = await newest();
    expect((await READS[operationId]!()).status).toBe(200);
    expect(await since(before)).toEqual([]);
  });
});

describe('a refused request', () => {
  it('leaves no row, whatever it was refused for', async () => {
    const [nobody, reader] = [await makeKey(server, ['metrics']), await makeKey(server, ['read'])];
    secrets.push(nobody.token, reader.token);
    const before = await newest();
    for (const { path, method, operation, id } of writing()) {
      const url = path.replace(/\{\w+\}/g, UNKNOWN);
      const example = operation.requestBody?.content['application/json']?.example;
      const body = async (): Promise<Init> =>
        id === 'uploadImages' ? { body: await oneFile() } : example === undefined ? {} : { json: example };
      const status = async (init: Init) => (await as(url, method, init)).status;
      const answers = {
        noKey: await status({ ...(await body()), key: null }),
        wrongKey: await status({ ...(await body()), key: 'nobody' }),
        wrongScope: await status({ ...(await body()), key: (id === 'relayAlerts' ? reader : nobody).token }),
        noSuchField: example === undefined ? 400 : await status({ json: { ...(example as object), nonsense: 1 } }),
        unknownId: path.includes('{') ? await status(await body()) : 404,
        badId: path.includes('{') ? (await as(url.replace(UNKNOWN, 'x'), method, await body())).status : 400,
      };
      // Signing in and out, and GraphQL's own errors, need no scope.
      const expected = { noKey: 401, wrongKey: 401, wrongScope: 403, noSuchField: 400, unknownId: 404, badId: 400 };
      const lenient = ['createSession', 'deleteSession', 'queryGraph', 'readResults'].includes(id);
      const seen = lenient ? { ...expected, wrongKey: answers.wrongKey } : answers;
      expect([id, seen]).toEqual([id, expected]);
    }
    const rows = (await since(before)).filter(({ action }) => action !== 'DELETE /api/session');
    expect(rows).toEqual([]);
  });

  it('leaves none where the state forbids it either', async () => {
    const id = await openBatch();
    await as(`/api/batches/${id}/cancel`, 'POST');
    const before = await newest();
    for (const name of ['pause', 'resume']) expect((await as(`/api/batches/${id}/${name}`, 'POST')).status).toBe(409);
    const empty = await newProject();
    expect((await as(`/api/projects/${empty}/batches`, 'POST', { json: { all: true } })).status).toBe(400);
    const rows = await since(before);
    expect(rows.map(({ action }) => action)).toEqual(['POST /api/projects']);
  });
});

it('shows no secret that was given out', async () => {
  const text = JSON.stringify(await auditRows(server));
  expect(secrets.length).toBeGreaterThan(4);
  for (const secret of secrets) expect(text).not.toContain(secret);
});

describe('the list', () => {
  it('is read from end to end by its cursor, though rows are written meanwhile', async () => {
    const all = (await auditRows(server)).map(({ id }) => id);
    expect(all).toEqual(all.toSorted((a, b) => b - a));
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const query: string = cursor === null ? 'limit=7' : `limit=7&cursor=${cursor}`;
      const page = (await (await server.call(`/api/audit?${query}`)).json()) as {
        items: Audit[];
        nextCursor: string | null;
      };
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
      await newProject();
    } while (cursor !== null);
    expect(seen).toEqual(all);
  });

  it('is refused with 400 for what it cannot do, never read without it', async () => {
    const forged = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const keys = (await (await server.call('/api/keys?limit=1')).json()) as { nextCursor: string };
    const bad = 'limit=0 limit=501 limit=-1 limit=x offset=-1 offset=1.5 cursor=abc action=POST keyId=1'.split(' ');
    const cursors = [
      keys.nextCursor,
      forged({ sort: '-id', value: 'x', id: '' }),
      forged(['-id', 'x', '']),
      forged(null),
    ];
    for (const query of [...bad, ...cursors.map((cursor) => `cursor=${cursor}`)])
      expect([query, (await server.call(`/api/audit?${query}`)).status]).toEqual([query, 400]);
  });
});
