import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Static } from 'typebox';
import type { AuditRow } from '#contract/admin.ts';
import type { Document } from '../../src/openapi/document.ts';
import { startTestApp, TEST_KEY, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';

/** Change nothing that outlives their answer, or are looked at below (GraphQL). */
const UNWRITTEN = ['POST /api/segmentation/batch/results', 'POST /graphql'];
const SECRET = 'sb_secret-that-nobody-may-read-in-the-audit';

type Ids = Record<'project' | 'image' | 'batch' | 'key', string>;
let service: TestApp;
let ids: Ids;
let cookie: string;

async function rows(): Promise<Static<typeof AuditRow>[]> {
  const { items } = (await (await service.call('/api/audit?limit=500')).json()) as { items: Static<typeof AuditRow>[] };
  return items.toReversed();
}
async function send(route: string, body?: object | FormData, headers: Record<string, string> = {}, key?: null) {
  const [method, template = ''] = route.split(' ');
  const owner = template.split('/')[2] ?? '';
  const id = { projects: ids.project, images: ids.image, batches: ids.batch, keys: ids.key }[owner];
  const reply = await service.call(template.replace(':id', id ?? ''), {
    method: method!,
    headers,
    ...(key === null && { key }),
    ...(body instanceof FormData ? { body } : body ? { json: body } : {}),
  });
  expect([route, reply.status < 300]).toEqual([route, true]);
  return reply;
}
const idOf = async (reply: Response) => ((await reply.json()) as { id: string }).id;

beforeAll(async () => {
  service = await startTestApp();
  ids = { project: '', image: '', batch: '', key: '' };
});
afterAll(() => service.close());

it('has one row for each change: who, what, of which object, when; for every route that writes', async () => {
  const began = new Date();
  const done: [route: string, targetType: string, targetId: string | null][] = [];
  const act = async (
    route: string,
    type: string,
    id: (() => string | null) | null,
    ...rest: [(object | FormData)?]
  ) => {
    const reply = await send(route, ...rest);
    done.push([route, type, id?.() ?? null]);
    return reply;
  };
  const signedIn = await send('POST /api/session', { key: TEST_KEY }, {}, null);
  cookie = signedIn.headers.get('set-cookie')!.split(';')[0]!;
  const { keyId } = (await signedIn.json()) as { keyId: string };
  done.push(['POST /api/session', 'session', keyId]);

  ids.project = await idOf(await send('POST /api/projects', { name: 'p' }));
  done.push(['POST /api/projects', 'projects', ids.project]);
  await act('PATCH /api/projects/:id', 'projects', () => ids.project, { name: 'q' });
  const files = form([{ name: 'a.png', bytes: await picture(1) }]);
  await act('POST /api/projects/:id/images', 'images', () => ids.project, files);
  const sample = await uploadPictures(service, ids.project, 2);
  done.push(['POST /api/projects/:id/images', 'images', ids.project]);
  ids.image = sample[0]!.id;
  ids.batch = await idOf(await send('POST /api/projects/:id/batches', { all: true }));
  done.push(['POST /api/projects/:id/batches', 'batches', ids.batch]);
  for (const verb of ['pause', 'resume', 'cancel'])
    await act(`POST /api/batches/:id/${verb}`, 'batches', () => ids.batch);
  ids.batch = await finishBatch(service, ids.project, sample, [1, null]);
  const again = await idOf(await send('POST /api/batches/:id/retry', { only: 'failed' }));
  done.push(['POST /api/batches/:id/retry', 'batches', again]);
  const made = await idOf(await send('POST /api/batches/:id/exports', { format: 'csv' }));
  done.push(['POST /api/batches/:id/exports', 'exports', made]);
  ids.key = await idOf(await send('POST /api/keys', { name: 'k', scopes: ['read'] }));
  done.push(['POST /api/keys', 'keys', ids.key]);
  await act('DELETE /api/keys/:id', 'keys', () => ids.key);
  await act('DELETE /api/images/:id', 'images', () => ids.image);
  await act('DELETE /api/projects/:id', 'projects', () => ids.project);
  await send('DELETE /api/session', undefined, { cookie }, null);
  done.push(['DELETE /api/session', 'session', keyId]);

  const written = await rows();
  expect(written.map((row) => [row.action, row.targetType, row.targetId])).toEqual(done);
  for (const row of written) {
    expect(row).toMatchObject({ keyId, keyName: 'bootstrap' });
    const at = new Date(row.at).getTime();
    expect(at).toBeGreaterThanOrEqual(began.getTime() - 1000);
    expect(at).toBeLessThanOrEqual(Date.now() + 1000);
  }
  const { paths } = (await (await service.call('/openapi.json')).json()) as Document;
  const writing = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods)
      .filter((method) => method !== 'get')
      .map((method) => `${method.toUpperCase()} ${path.replace('{id}', ':id')}`),
  );
  expect([...new Set([...done.map(([route]) => route), ...UNWRITTEN])].sort()).toEqual(writing.sort());
});

it('has none for reads and for what was refused, and never a secret', async () => {
  const before = (await rows()).length;
  const json = { key: SECRET };
  const refused = [
    await service.call('/api/session', { method: 'POST', json, key: null }),
    await service.call('/api/projects', { method: 'POST', json: { name: '' } }),
    await service.call('/api/projects', { method: 'POST', json: { name: 'x' }, key: SECRET }),
    await service.call(`/api/batches/${ids.batch}/cancel`, { method: 'POST' }),
    await service.call(`/api/keys/${ids.key}`, { method: 'DELETE' }),
    await service.call(`/api/images/${ids.image}`, { method: 'DELETE' }),
  ];
  expect(refused.map(({ status }) => status)).toEqual([401, 400, 401, 404, 404, 404]);
  const json2 = { query: 'mutation { createProject(name: "") { id } }' };
  await service.call('/graphql', { method: 'POST', json: json2 });
  await service.call('/api/segmentation/batch/results', { method: 'POST', json: { imageIds: [ids.image] } });
  await service.call('/api/audit');
  expect((await rows()).length).toBe(before);
  const made = (await (
    await service.call('/api/keys', { method: 'POST', json: { name: 'k', scopes: ['read'] } })
  ).json()) as { token: string };
  const text = JSON.stringify(await service.app.sql`select * from audit`);
  for (const secret of [SECRET, TEST_KEY, made.token, cookie.split('=')[1]!]) expect(text).not.toContain(secret);
});

it('has a row for each mutation of GraphQL', async () => {
  const graph = async (query: string) => {
    const reply = await service.call('/graphql', { method: 'POST', json: { query } });
    const { data, errors } = (await reply.json()) as { data: Record<string, { id: string } | null>; errors?: unknown };
    expect([query, errors]).toEqual([query, undefined]);
    return data;
  };
  const mutate = async (name: string, args: string, fields = '{ id }') =>
    (await graph(`mutation { ${name}(${args}) ${fields} }`))[name]?.id ?? '';
  const project = await mutate('createProject', 'input: { name: "g" }');
  await mutate('updateProject', `id: "${project}", input: { pixelSizeUm: 1 }`);
  await mutate('renameProject', `id: "${project}", name: "h"`);
  const images = await uploadPictures(service, project, 2);
  const batch = await mutate('startBatch', `projectId: "${project}", input: { all: true }`);
  for (const verb of ['pauseBatch', 'resumeBatch', 'cancelBatch']) await mutate(verb, `id: "${batch}"`);
  const finished = await finishBatch(service, project, images, [1, null]);
  const again = await mutate('retryBatch', `id: "${finished}"`);
  const made = await mutate('createExport', `batchId: "${finished}", format: csv`);
  await mutate('deleteImages', `ids: ["${images[0]!.id}"]`, '{ deleted }');
  await mutate('deleteProject', `id: "${project}"`, '');

  const written = (await rows()).filter(({ action }) => action.startsWith('POST /graphql '));
  const seen = written.map(({ action, targetId }) => [action.split(' ').at(-1), targetId]);
  expect(seen).toEqual([
    ['createProject', project],
    ['updateProject', project],
    ['renameProject', project],
    ['startBatch', batch],
    ['pauseBatch', batch],
    ['resumeBatch', batch],
    ['cancelBatch', batch],
    ['retryBatch', again],
    ['createExport', made],
    ['deleteImages', images[0]!.id],
    ['deleteProject', project],
  ]);
  const types = (await graph('{ __schema { mutationType { fields { name } } } }')) as unknown as {
    __schema: { mutationType: { fields: { name: string }[] } };
  };
  const names = types.__schema.mutationType.fields.map(({ name }) => name);
  expect(new Set(names)).toEqual(new Set(seen.map(([name]) => name)));
});
