import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GraphqlReply } from '#contract/graphql.ts';
import type { Image } from '#contract/images.ts';
import type { Document, Operation } from '../../src/openapi/document.ts';
import { EXAMPLE_IDS } from '../../src/openapi/ids.ts';
import { until } from '../batches/fixture.ts';
import { openSocket } from '../events/socket.ts';
import { TEST_KEY, startTestApp, type TestApp } from '../support/app.ts';
import { WEBHOOKS } from '../webhooks/receiver.ts';
import { form, picture } from '../support/pictures.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';
import { makeResults } from '../support/runs.ts';
import { problemsOf, type Answer } from './answers.ts';
import { createAjv, errorsIn } from './schemas.ts';

interface Found {
  path: string;
  method: string;
  operation: Operation;
}
let service: TestApp;
let results: Awaited<ReturnType<typeof makeResults>>;
let document: Document;
const found = new Map<string, Found>();
/** Ids and secrets of the examples → those that this run was given. */
const real = new Map<string, string>();
const done = new Set<string>();
let ajv: ReturnType<typeof createAjv>;

beforeAll(async () => {
  results = await makeResults();
  service = await startTestApp({ RESULTS_DIR: results.dir, ...WEBHOOKS });
  document = (await (await service.call('/openapi.json')).json()) as Document;
  ajv = createAjv(document);
  for (const [path, methods] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(methods))
      found.set(operation.operationId!, { path, method, operation });
  real.set('a key of 32 characters or more, as it was given out once', TEST_KEY);
});
afterAll(async () => {
  await service.close();
  await results.remove();
});

const withReal = (text: string) => [...real].reduce((all, [example, id]) => all.replaceAll(example, id), text);
const learn = (noun: string, id: string) => real.set(EXAMPLE_IDS[noun]!, id);

/** Sends an operation with the document's own examples, and judges the answer by the document. */
async function send(
  operationId: string,
  init: { headers?: Record<string, string>; body?: FormData; expected: number },
) {
  const { path, method, operation } = found.get(operationId)!;
  const url = new URL(path, service.url);
  for (const { name, in: where, example } of operation.parameters ?? []) {
    if (example === undefined) continue;
    if (where === 'path')
      url.pathname = decodeURIComponent(url.pathname).replace(`{${name}}`, withReal(String(example)));
    if (where === 'query') url.searchParams.set(name, withReal(String(example)));
  }
  const headers = new Headers({ authorization: `Bearer ${TEST_KEY}`, ...init.headers });
  for (const { name, in: where, example } of operation.parameters ?? [])
    if (where === 'header' && example !== undefined) headers.set(name, String(example));
  const example = operation.requestBody?.content['application/json']?.example;
  if (example !== undefined) headers.set('content-type', 'application/json');
  const reply = await fetch(url, {
    method: method.toUpperCase(),
    headers,
    ...(init.body ? { body: init.body } : example === undefined ? {} : { body: withReal(JSON.stringify(example)) }),
  });
  const answer: Answer = { status: reply.status, headers: reply.headers, body: Buffer.from(await reply.arrayBuffer()) };
  const problems = problemsOf(document, ajv, operation, answer);
  const text = answer.body.toString().slice(0, 200);
  expect({ operationId, status: answer.status, problems, text }).toMatchObject({ status: init.expected, problems: [] });
  done.add(operationId);
  return answer;
}
const json = ({ body }: Answer) =>
  JSON.parse(body.toString()) as { id: string; status: string; images: { id: string }[] };

describe('every documented request', () => {
  it('is answered as documented, in the order of an image’s way', async () => {
    for (const id of ['getDocument', 'getDocs', 'getLiveness', 'getReadiness', 'getPrometheus'])
      await send(id, { expected: 200 });
    await send('createSession', { expected: 201 });
    await send('getSession', { expected: 200 });

    learn('projects', json(await send('createProject', { expected: 201 })).id);
    for (const id of ['listProjects', 'getProject', 'updateProject']) await send(id, { expected: 200 });
    const files = form([{ name: 'plate-7/B03.png', bytes: await picture(1) }]);
    const uploaded = json(await send('uploadImages', { body: files, expected: 201 })).images[0]!;
    learn('images', uploaded.id);
    for (const id of ['listImages', 'getIndex', 'getImage', 'getTimeline', 'renderImage', 'getThumbnails'])
      await send(id, { expected: 200 });
    const tag = (await send('getImageFile', { expected: 200 })).headers.get('etag')!;
    await send('getImageFile', { headers: { range: 'bytes=0-9' }, expected: 206 });
    await send('getImageFile', { headers: { range: 'bytes=99999999-' }, expected: 416 });
    await send('getImageFile', { headers: { 'if-none-match': tag }, expected: 304 });

    await send('forecastBatch', { expected: 200 });
    learn('batches', json(await send('createBatch', { expected: 202 })).id);
    for (const id of ['pauseBatch', 'resumeBatch']) await send(id, { expected: 202 });
    await send('cancelBatch', { expected: 202 });
    await send('resumeBatch', { expected: 409 });
    for (const id of ['getBatch', 'listBatches', 'getQueue', 'getNow', 'listForecasts'])
      await send(id, { expected: 200 });
    expect(done.size).toBeGreaterThan(20);
  });

  it('is answered as documented once there are results', async () => {
    const projectId = real.get(EXAMPLE_IDS['projects']!)!;
    const images = await uploadPictures(service, projectId, 2, 7);
    learn('images', images[0]!.id);
    learn('batches', await finishBatch(service, projectId, images, [3, null]));
    await send('getFailures', { expected: 200 });
    await send('readResults', { expected: 200 });
    for (const accept of ['application/x-ndjson', 'application/vnd.segbench.polygons'])
      expect((await send('readResults', { headers: { accept }, expected: 200 })).headers.get('content-type')).toContain(
        accept,
      );
    const [mask] = await service.sql<{ id: string }[]>`select result_id as id from images where id = ${images[0]!.id}`;
    learn('results', mask!.id);
    const signed = JSON.parse((await send('getImage', { expected: 200 })).body.toString()) as Image;
    for (const address of [signed.thumbnailUrl, signed.overlayUrl, signed.fileUrl])
      expect([address, (await service.call(address!, { key: null })).status]).toEqual([address, 200]);
    for (const id of ['getResult', 'renderOverlay']) await send(id, { expected: 200 });
    learn('exports', json(await send('createExport', { expected: 202 })).id);
    await until(async () => json(await send('getExport', { expected: 200 })).status === 'ready');
    await send('downloadExport', { expected: 200 });
    await send('retryBatch', { expected: 202 });
    const graph = json(await send('queryGraph', { expected: 200 })) as unknown as GraphqlReply;
    expect([graph.errors, graph.data]).toMatchObject([undefined, { batch: { id: real.get(EXAMPLE_IDS['batches']!) } }]);
    const accept = 'application/graphql-response+json';
    expect((await send('queryGraph', { headers: { accept }, expected: 200 })).headers.get('content-type')).toContain(
      accept,
    );
    await send('openGraph', { headers: { accept: 'text/html' }, expected: 200 });
    await send('openGraph', { expected: 405 });
    for (const id of ['getHealth', 'getSummary', 'getPerformance', 'getSlowQueries', 'getEndpoints'])
      await send(id, { expected: 200 });
    await send('relayAlerts', { expected: 202 });
    learn('runs', results.runId);
    for (const id of ['listRuns', 'getRun', 'getRunReport']) await send(id, { expected: 200 });
    await send('getRunReport', { headers: { range: 'bytes=0-9' }, expected: 206 });
  });

  it('opens the socket, whose frames are as documented', async () => {
    const projectId = real.get(EXAMPLE_IDS['projects']!)!;
    const reader = await openSocket(service.url, { query: `projectId=${projectId}` });
    const old = await openSocket(service.url, { query: `projectId=${projectId}&epoch=unknown&since=1` });
    await until(() => reader.hello() !== undefined && old.snapshot() !== undefined);
    const schema = { $ref: '#/components/schemas/ServerFrame' };
    expect([...reader.frames, ...old.frames].flatMap((frame) => errorsIn(ajv, schema, frame))).toEqual([]);
    expect(errorsIn(ajv, schema, { ...reader.frames[0], seq: 'one' })).not.toEqual([]);
    await Promise.all([reader.close(), old.close()]);
    done.add('openEvents');
  });

  it('cleans up as documented, and none was left out', async () => {
    learn('keys', json(await send('createKey', { expected: 201 })).id);
    for (const id of ['listKeys', 'rotateKey', 'listAudit']) await send(id, { expected: 200 });
    for (const id of ['deleteKey', 'deleteImage', 'deleteProject', 'deleteSession']) await send(id, { expected: 204 });
    await send('getProject', { expected: 404 });
    const others = [...found.keys()].filter((id) => !done.has(id));
    expect(others, 'operations that this test does not send').toEqual([]);
  });
});
