import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isRequiredArgument, type GraphQLField, type GraphQLObjectType } from 'graphql';
import { createSchema } from '../../src/graphql/schema.ts';
import { UNKNOWN_ID, createWorld, listed, type World } from '../contract-bad-input/world.ts';
import { until } from '../batches/fixture.ts';
import { openSocket } from '../events/socket.ts';
import { PROGRESS, socketKit } from '../graphql/socket-kit.ts';
import { ask, type Answer } from '../graphql/support.ts';
import { TEST_KEY } from '../support/app.ts';
import { FIELDS } from './expectations.ts';
import { found, makeKey, marksOf, newTenant, SCOPES, type MadeKey } from './kit.ts';

let world: World;
let other: MadeKey;
let marks: string[];
const refused = new Map<string, string>();
const roots = (['getQueryType', 'getMutationType', 'getSubscriptionType'] as const).map((get) =>
  createSchema()[get]()!,
);
const fields = roots.flatMap((root) =>
  Object.values(root.getFields()).map((field) => ({
    kind: root.name.toLowerCase(),
    field,
    expected: FIELDS[field.name],
  })),
);

beforeAll(async () => {
  world = await createWorld();
  marks = await marksOf(world);
  const { service } = world;
  other = await newTenant(service, 'other');
  const [revoked, expired] = [
    await makeKey(service, { name: 'revoked', scopes: SCOPES }),
    await makeKey(service, { name: 'expired', scopes: SCOPES }),
  ];
  await service.call(`/api/keys/${revoked.id}`, { method: 'DELETE' });
  await service.sql`update api_keys set expires_at = now() - interval '1 second' where id = ${expired.id}`;
  refused.set('revoked', revoked.token).set('expired', expired.token).set('unknown', 'x'.repeat(40));
});
afterAll(() => world.close());

type Field = GraphQLField<unknown, unknown>;
/** What an argument is the id of. */
function nounOf(field: string, argument: string): keyof World['ids'] {
  if (argument === 'taskId') return 'batches';
  const byName = { projectId: 'projects', imageId: 'images', batchId: 'batches', imageIds: 'images', ids: 'images' };
  const named = (byName as Record<string, keyof World['ids']>)[argument];
  if (named) return named;
  return field === 'export'
    ? 'exports'
    : field === 'image'
      ? 'images'
      : /[bB]atch/.test(field)
        ? 'batches'
        : 'projects';
}
const OTHERS: Readonly<Record<string, unknown>> = {
  input: { name: 'changed' },
  name: 'changed',
  format: 'csv',
};
/** A document that asks for one field with all it needs, and its variables, with ids of the world or unknown ones. */
function documentOf({ kind, field }: { kind: string; field: Field }, unknown: boolean) {
  const needed = field.args.filter((argument) => isRequiredArgument(argument) || argument.name === 'imageIds');
  const variables = Object.fromEntries(
    needed.map(({ name, type }) => {
      const isId = /^\[?(ID|String)/.test(String(type)) && !(name in OTHERS);
      const id = unknown ? UNKNOWN_ID : world.ids[nounOf(field.name, name)][0]!;
      const own = field.name === 'startBatch' ? { all: true } : OTHERS[name];
      return [name, !isId ? own : String(type).startsWith('[') ? [id] : id];
    }),
  );
  const declared = needed.map(({ name, type }) => `$${name}: ${String(type)}`).join(', ');
  const given = needed.map(({ name }) => `${name}: $${name}`).join(', ');
  const type = String(field.type).replace(/[[\]!]/g, '');
  const selected = SELECTIONS[type] === undefined ? '' : `{ ${SELECTIONS[type]} }`;
  const head = declared === '' ? '' : `(${declared})`;
  return { query: `${kind} ${head} { ${field.name}${given === '' ? '' : `(${given})`} ${selected} }`, variables };
}
/** Enough of each type that a leak would show. */
const SELECTIONS: Readonly<Record<string, string>> = {
  Me: 'keyId name scopes',
  Project: 'id name owner { name } stats { totalImages }',
  ProjectPage: 'items { id name images { items { id name } } } total',
  Image: 'id name project { id } batch { id } segmentation { polygonCount } fileUrl thumbnailUrl overlayUrl',
  ImagePage: 'items { id name } total',
  Batch: 'id total project { name } results { items { image { id } } } exports { items { id } }',
  BatchPage: 'items { id } total',
  Result: 'polygonCount image { id name }',
  ResultPage: 'items { polygonCount image { id } } missing',
  Failures: 'batchId total',
  Export: 'id status downloadUrl',
  ExportPage: 'items { id } total',
  Queue: 'waiting active workers { id }',
  DeletedImages: 'deleted missing',
  SegmentationProgress: 'taskId status',
};
const seen = ({ status, headers, data, errors }: Answer) =>
  JSON.stringify([status, [...headers].filter(([name]) => name !== 'date'), data, errors]);

it('has an expectation for every field of the root types, and for nothing else', () => {
  expect(fields.map(({ field }) => field.name).toSorted()).toEqual(Object.keys(FIELDS).toSorted());
  expect((roots as GraphQLObjectType[]).map(({ name }) => name)).toEqual(['Query', 'Mutation', 'Subscription']);
});

describe('GraphQL', () => {
  it('gives another tenant for foreign ids exactly what unknown ones get, and changes nothing', async () => {
    const before = await world.state();
    const wrong: string[] = [];
    for (const each of fields.filter(({ expected }) => expected !== 'socket' && expected !== 'writes')) {
      const run = async (unknown: boolean) => {
        const { query, variables } = documentOf(each, unknown);
        const answer = await ask(world.service, query, variables, { key: other.token });
        const named = JSON.stringify(variables).match(/[0-9a-f-]{36}/g) ?? [];
        return { answer, text: named.reduce((all, id) => all.replaceAll(id, 'ID'), seen(answer)) };
      };
      const [foreign, unknown] = [await run(false), await run(true)];
      const at = each.field.name;
      if (foreign.text !== unknown.text) wrong.push(`${at}: ${foreign.text} is not ${unknown.text}`);
      if (each.expected === 'missing' && foreign.answer.codes[0] !== 'NOT_FOUND') wrong.push(`${at}: ${foreign.text}`);
      if (each.expected === 'bulk' && !foreign.text.includes('"missing":["ID"]')) wrong.push(`${at}: ${foreign.text}`);
      if (each.expected === 'unlisted' && foreign.answer.errors) wrong.push(`${at}: ${foreign.text}`);
      wrong.push(...found(foreign.text, marks).map((mark) => `${at} shows ${mark}`));
    }
    expect(listed(wrong)).toBe('');
    await world.untouched(before);
  });

  it.each(['unknown', 'expired', 'revoked'])('gives an %s key 401, whatever it asks for', async (who) => {
    for (const each of fields) {
      const { query, variables } = documentOf(each, false);
      const { status, codes } = await ask(world.service, query, variables, { key: refused.get(who)! });
      expect([each.field.name, status, codes]).toEqual([each.field.name, 401, ['UNAUTHENTICATED']]);
    }
  });
});

describe('sockets', () => {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const refusal = async (query: string, token: string) =>
    openSocket(world.service.url, { query, headers: bearer(token) }).then(
      async (reader) => {
        await reader.close();
        return 'open';
      },
      (error: Error) => error.message,
    );

  it('of events are refused with 404 for a foreign project as for an unknown one, and with 401 for no good key', async () => {
    const at = (id: string) => `projectId=${id}`;
    const [mine] = world.ids.projects;
    expect(await refusal(at(mine!), other.token)).toBe('HTTP 404');
    expect(await refusal(at(UNKNOWN_ID), other.token)).toBe('HTTP 404');
    expect(await refusal(`${at(mine!)}&epoch=x&since=0`, other.token)).toBe('HTTP 404');
    for (const token of refused.values()) expect(await refusal(at(mine!), token)).toBe('HTTP 401');
    expect(await refusal(at(mine!), TEST_KEY)).toBe('open');
  });

  it('of GraphQL tell nobody of a foreign batch', async () => {
    const kit = socketKit(() => world.service);
    const socket = await kit.open({ key: other.token });
    const answers: string[] = [];
    for (const [index, id] of [world.ids.batches[0]!, UNKNOWN_ID].entries()) {
      socket.begin(String(index), PROGRESS, { id });
      await until(() => socket.of(String(index)).length > 0);
      answers.push(JSON.stringify(socket.of(String(index))[0]!.payload).replaceAll(id, 'ID'));
      expect(socket.of(String(index))[0]!.type).toBe('error');
    }
    expect(answers[0]).toBe(answers[1]);
    expect(answers[0]).toContain('NOT_FOUND');
    await socket.close();
  });
});
