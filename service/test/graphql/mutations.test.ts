import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestApp, type TestApp } from '../support/app.ts';
import { uploadPictures } from '../support/results.ts';
import { ask, newKey, newProject, newScene } from './support.ts';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.close());

interface AuditRow {
  action: string;
  keyName: string;
  targetType: string;
  targetId: string;
  detail: unknown;
}
const http = async (path: string) => (await (await service.call(path)).json()) as Record<string, unknown>;
const status = async (path: string) => (await service.call(path)).status;
/** The newest rows of the audit. */
const audited = async (limit: number) =>
  ((await http(`/api/audit?limit=${limit}`))['items'] as AuditRow[]).map(
    ({ action, keyName, targetType, targetId, detail }) => ({ action, keyName, targetType, targetId, detail }),
  );
const row = (name: string, targetType: string, targetId: string, detail: unknown = null) => ({
  action: `POST /graphql ${name}`,
  keyName: 'bootstrap',
  targetType,
  targetId,
  detail,
});
const UNKNOWN = '01980000-0000-7000-8000-0000000000ff';

describe('a project', () => {
  it('is created, changed, renamed and deleted as over HTTP, with its owner and a row in the audit each', async () => {
    const create =
      'mutation ($input: ProjectInput!) { createProject(input: $input) { id name pixelSizeUm owner { name } } }';
    const made = await ask(service, create, { input: { name: 'plate 8', pixelSizeUm: 0.5 } });
    expect(made.errors).toBeUndefined();
    const project = made.data!['createProject'] as { id: string };
    expect(project).toMatchObject({ name: 'plate 8', pixelSizeUm: 0.5, owner: { name: 'bootstrap' } });
    const { id } = project;
    expect(await http(`/api/projects/${id}`)).toMatchObject({ name: 'plate 8', pixelSizeUm: 0.5 });
    const change =
      'mutation ($id: ID!, $input: ProjectChange!) { updateProject(id: $id, input: $input) { name pixelSizeUm } }';
    const changed = await ask(service, change, { id, input: { pixelSizeUm: null } });
    expect(changed.data).toEqual({ updateProject: { name: 'plate 8', pixelSizeUm: null } });
    const renamed = await ask(service, 'mutation ($id: ID!) { renameProject(id: $id, name: "plate 9") { title } }', {
      id,
    });
    expect(renamed.data).toEqual({ renameProject: { title: 'plate 9' } });
    expect(await http(`/api/projects/${id}`)).toMatchObject({ name: 'plate 9' });
    const deleted = await ask(service, 'mutation ($id: ID!) { deleteProject(id: $id) }', { id });
    expect(deleted.data).toEqual({ deleteProject: id });
    expect(await status(`/api/projects/${id}`)).toBe(404);
    expect(await audited(4)).toEqual([
      row('deleteProject', 'projects', id, { name: 'plate 9', images: 0 }),
      row('renameProject', 'projects', id),
      row('updateProject', 'projects', id),
      row('createProject', 'projects', id),
    ]);
  });

  it.each([
    ['createProject(input: { name: "" }) { id }', /^input\.name is ""/],
    [`createProject(input: { name: "${'x'.repeat(201)}" }) { id }`, /^input\.name is "x+\.\.\.: .*200/],
    ['createProject(input: { name: "a", pixelSizeUm: 0 }) { id }', /^input\.pixelSizeUm is 0/],
    [`updateProject(id: "${UNKNOWN}", input: {}) { id }`, /^input is \{\}: .*1/],
    [`renameProject(id: "${UNKNOWN}", name: "") { id }`, /^name is ""/],
  ])('is refused as over HTTP: %s', async (mutation, message) => {
    const answer = await ask(service, `mutation { ${mutation} }`);
    expect([answer.status, answer.code]).toEqual([400, 'VALIDATION']);
    expect(answer.message).toMatch(message);
  });
});

describe('images', () => {
  it('are deleted, the unknown are told, and each deleted one has its row', async () => {
    const project = await newProject(service);
    const [a, b, c] = await uploadPictures(service, project.id, 3);
    const query = 'mutation ($ids: [ID!]!) { deleteImages(ids: $ids) { deleted missing } }';
    const { data } = await ask(service, query, { ids: [a!.id, UNKNOWN, b!.id.toUpperCase(), a!.id] });
    expect(data).toEqual({ deleteImages: { deleted: [a!.id, b!.id], missing: [UNKNOWN] } });
    expect(await http(`/api/projects/${project.id}`)).toMatchObject({ imageCount: 1 });
    expect([await status(`/api/images/${a!.id}`), await status(`/api/images/${c!.id}`)]).toEqual([404, 200]);
    expect(await audited(2)).toEqual([row('deleteImages', 'images', b!.id), row('deleteImages', 'images', a!.id)]);
  });

  it('are at most 100 at once', async () => {
    const ids = Array.from({ length: 101 }, () => UNKNOWN);
    const { code, message } = await ask(service, 'mutation ($ids: [ID!]!) { deleteImages(ids: $ids) { deleted } }', {
      ids,
    });
    expect([code, message]).toEqual(['VALIDATION', expect.stringMatching(/^ids .*101.*100/)]);
  });
});

describe('a batch', () => {
  it('is started, paused, resumed, cancelled and retried as over HTTP', async () => {
    const { project, images, batchId } = await newScene(service, [1, null]);
    const start =
      'mutation ($p: ID!, $input: BatchInput!) { startBatch(projectId: $p, input: $input) { id status total threshold } }';
    const input = { imageIds: [images[1]!.id], all: null, threshold: 0.75, force: true };
    const started = await ask(service, start, { p: project.id, input });
    expect(started.errors).toBeUndefined();
    const { id } = started.data!['startBatch'] as { id: string };
    expect(started.data!['startBatch']).toMatchObject({ status: 'queued', total: 1, threshold: 0.75 });
    for (const [verb, now] of [
      ['pause', 'paused'],
      ['resume', 'queued'],
      ['cancel', 'cancelled'],
    ]) {
      const { data } = await ask(service, `mutation ($id: ID!) { ${verb}Batch(id: $id) { status } }`, { id });
      expect(data).toEqual({ [`${verb}Batch`]: { status: now } });
      expect(await http(`/api/batches/${id}`)).toMatchObject({ status: now });
    }
    const again = await ask(service, 'mutation ($id: ID!) { resumeBatch(id: $id) { status } }', { id });
    expect([again.status, again.data, again.codes]).toEqual([200, { resumeBatch: null }, ['CONFLICT']]);
    expect(again.errors![0]!.extensions.statusCode).toBe(409);
    const retry = 'mutation ($id: ID!) { retryBatch(id: $id, code: TIMEOUT) { id retryOf total } }';
    const retried = (await ask(service, retry, { id: batchId })).data!['retryBatch'] as { id: string };
    expect(retried).toMatchObject({ retryOf: batchId, total: 1 });
    expect(await audited(5)).toEqual([
      row('retryBatch', 'batches', retried.id),
      row('cancelBatch', 'batches', id),
      row('resumeBatch', 'batches', id),
      row('pauseBatch', 'batches', id),
      row('startBatch', 'batches', id),
    ]);
  });

  it.each([
    ['{ all: true, threshold: 0.95 }', 'VALIDATION', /^input\.threshold is 0\.95: .*<= 0\.9/],
    ['{ all: true, priority: 11 }', 'VALIDATION', /^input\.priority is 11/],
    ['{ all: false }', 'VALIDATION', /^input\.all is false/],
    ['{ imageIds: [] }', 'VALIDATION', /^input\.imageIds is \[\]/],
    ['{ imageIds: ["x"] }', 'VALIDATION', /^input\.imageIds\[0\] is "x": expected a uuid/],
  ])('is refused before anything runs: %s', async (input, code, message) => {
    const query = `mutation { startBatch(projectId: "${UNKNOWN}", input: ${input}) { id } }`;
    const answer = await ask(service, query);
    expect([answer.status, answer.code]).toEqual([400, code]);
    expect(answer.message).toMatch(message);
  });

  it.each([
    ['{ }', 'VALIDATION', 400],
    ['{ all: true }', 'EMPTY_PROJECT', 400],
    ['{ all: true, model: "none" }', 'VALIDATION', 400],
    [`{ imageIds: ["${UNKNOWN}"] }`, 'NOT_FOUND', 404],
  ])('is null with the error that HTTP has: %s', async (input, code, statusCode) => {
    const project = await newProject(service);
    const { data, errors } = await ask(
      service,
      `mutation { startBatch(projectId: "${project.id}", input: ${input}) { id } }`,
    );
    expect(data).toEqual({ startBatch: null });
    expect(errors).toMatchObject([{ path: ['startBatch'], extensions: { code, statusCode } }]);
  });
});

describe('who may change something', () => {
  it('is a key that writes; an export needs one that reads, as over HTTP', async () => {
    const { project, batchId } = await newScene(service, [1]);
    const reader = (await newKey(service, ['read'])).token;
    const writer = (await newKey(service, ['write'])).token;
    const rename = `mutation { renameProject(id: "${project.id}", name: "other") { name } }`;
    const refused = await ask(service, rename, {}, { key: reader });
    expect([refused.status, refused.code]).toEqual([403, 'FORBIDDEN']);
    expect(await http(`/api/projects/${project.id}`)).toMatchObject({ name: project.name });
    expect((await ask(service, rename, {}, { key: writer })).data).toEqual({ renameProject: { name: 'other' } });
    const create = `mutation { createExport(batchId: "${batchId}", format: csv) { status } }`;
    expect((await ask(service, create, {}, { key: reader })).data).toEqual({ createExport: { status: 'queued' } });
    expect((await ask(service, create, {}, { key: writer })).code).toBe('FORBIDDEN');
  });

  it('leaves no row where nothing changed', async () => {
    const before = await audited(1);
    await ask(service, `mutation { renameProject(id: "${UNKNOWN}", name: "x") { id } }`);
    await ask(service, '{ projects { total } }');
    expect(await audited(1)).toEqual(before);
  });
});
