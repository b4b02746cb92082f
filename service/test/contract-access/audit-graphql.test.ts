import { afterAll, beforeAll, expect, it } from 'vitest';
import { ask, newScene } from '../graphql/support.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { auditRows, makeKey, type Audit, type MadeKey } from './kit.ts';

let server: TestApp;
let author: MadeKey;
beforeAll(async () => {
  server = await startTestApp();
  author = await makeKey(server, ['read', 'write'], { name: 'author' });
});
afterAll(() => server.close());

const UNKNOWN = '00000000-0000-4000-8000-000000000001';
const by = (query: string, key: string | null = author.token) => ask(server, query, {}, { key });
const newest = async (): Promise<number> => (await auditRows(server, 1))[0]!.id;
const since = async (id: number): Promise<Audit[]> => (await auditRows(server)).filter((row) => row.id > id);
const scene = () => newScene(server, [2, null]);
const openBatch = async () => {
  const { project } = await scene();
  const { data } = await by(
    `mutation { startBatch(projectId: "${project.id}", input: { all: true, force: true }) { id } }`,
  );
  return (data!['startBatch'] as { id: string }).id;
};

/** A mutation, and the objects that its rows name; `made` where the object is the one that it makes. */
interface Case {
  text: string;
  type: string;
  ids: string[] | 'made';
}
const batchVerb = (field: string) => async (): Promise<Case> => {
  const id = await openBatch();
  if (field === 'resumeBatch') await by(`mutation { pauseBatch(id: "${id}") { id } }`);
  return { text: `${field}(id: "${id}") { id }`, type: 'batches', ids: [id] };
};
const onProject = (text: (id: string) => string) => async (): Promise<Case> => {
  const { id } = (await scene()).project;
  return { text: text(id), type: 'projects', ids: [id] };
};
const CASES: Record<string, () => Promise<Case>> = {
  createProject: async () => ({ text: 'createProject(input: { name: "made" }) { id }', type: 'projects', ids: 'made' }),
  updateProject: onProject((id) => `updateProject(id: "${id}", input: { pixelSizeUm: 0.5 }) { id }`),
  renameProject: onProject((id) => `renameProject(id: "${id}", name: "other") { id }`),
  deleteProject: onProject((id) => `deleteProject(id: "${id}")`),
  async deleteImages() {
    const ids = (await scene()).images.map(({ id }) => id);
    const text = `deleteImages(ids: ${JSON.stringify([ids[0], UNKNOWN, ids[1]])}) { deleted missing }`;
    return { text, type: 'images', ids };
  },
  async startBatch() {
    const { project } = await scene();
    return {
      text: `startBatch(projectId: "${project.id}", input: { all: true }) { id }`,
      type: 'batches',
      ids: 'made',
    };
  },
  pauseBatch: batchVerb('pauseBatch'),
  resumeBatch: batchVerb('resumeBatch'),
  cancelBatch: batchVerb('cancelBatch'),
  async retryBatch() {
    const { batchId } = await scene();
    return { text: `retryBatch(id: "${batchId}") { id }`, type: 'batches', ids: 'made' };
  },
  async createExport() {
    const { batchId } = await scene();
    return { text: `createExport(batchId: "${batchId}", format: csv) { id }`, type: 'exports', ids: 'made' };
  },
};

it('is kept of every mutation: a new one must say here what its row is', async () => {
  const { data } = await by('{ __schema { mutationType { fields { name } } } }');
  const { mutationType } = data!['__schema'] as { mutationType: { fields: { name: string }[] } };
  expect(mutationType.fields.map(({ name }) => name).toSorted()).toEqual(Object.keys(CASES).toSorted());
});

it.each(Object.keys(CASES))(
  '%s leaves a row for each object that it changed, and none when it is refused',
  async (field) => {
    const { text, type, ids } = await CASES[field]!();
    const { token } = await makeKey(server, ['metrics']);
    const before = await newest();
    for (const key of [null, 'nobody', token]) expect((await by(`mutation { ${text} }`, key)).codes).toHaveLength(1);
    const nowhere = text.replace(/[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}/g, UNKNOWN);
    // What is unknown to `deleteImages` is told in its answer.
    const refusals = nowhere === text ? [] : (await by(`mutation { ${nowhere} }`)).codes;
    expect(refusals).toEqual(nowhere === text || field === 'deleteImages' ? [] : ['NOT_FOUND']);
    expect(await since(before)).toEqual([]);

    const { data, codes } = await by(`mutation { ${text} }`);
    expect(codes).toEqual([]);
    const targets = ids === 'made' ? [(data![field] as { id: string }).id] : ids;
    const rows = (await since(before)).toReversed();
    expect(rows.map(({ targetId }) => targetId)).toEqual(targets);
    for (const row of rows)
      expect(row).toMatchObject({
        keyId: author.id,
        keyName: 'author',
        action: `POST /graphql ${field}`,
        targetType: type,
      });
  },
);

it('has the rows of what was done before the field that failed, and of nothing after it', async () => {
  const before = await newest();
  const { codes } = await by(`mutation {
    one: createProject(input: { name: "one" }) { id }
    two: renameProject(id: "${UNKNOWN}", name: "two") { id }
    three: createProject(input: { name: "three" }) { id }
  }`);
  expect(codes).toEqual(['NOT_FOUND']);
  const rows = await since(before);
  const projects = await server.sql`select name from projects where name in ('one', 'two', 'three')`;
  expect(rows).toHaveLength(projects.length);
  expect(rows.every(({ action }) => action === 'POST /graphql createProject')).toBe(true);
});
