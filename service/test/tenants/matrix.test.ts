import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import { createWorld, listed, type Call, type World } from '../contract-bad-input/world.ts';
import type { WireAnswer } from '../contract-bad-input/wire.ts';
import { TEST_KEY, startTestApp, type TestApp } from '../support/app.ts';
import { createConnections, type Connections } from '../../src/tenants/connections.ts';
import { OPERATIONS, type Foreign } from './expectations.ts';
import { askAs, found, idsOf, makeKey, marksOf, newTenant, SCOPES, tenantIdOf, visible, type MadeKey } from './kit.ts';

/**
 * Every route of the OpenAPI document times every kind of asker. The ids are real, of the operator's tenant, and the bodies good:
 * nothing but who asks can be the reason.
 */
let world: World;
let other: MadeKey;
let marks: string[];
const refusedKeys = new Map<string, string | null>();
const scoped = new Map<string, string>();

beforeAll(async () => {
  world = await createWorld();
  const { service } = world;
  // before there is anything of the other tenant
  marks = await marksOf(world);
  other = await newTenant(service, 'other');
  await service.call('/api/projects', { method: 'POST', json: { name: 'mine' }, key: other.token });
  const [revoked, expired] = [
    await makeKey(service, { name: 'revoked', scopes: SCOPES }),
    await makeKey(service, { name: 'expired', scopes: SCOPES }),
  ];
  await service.call(`/api/keys/${revoked.id}`, { method: 'DELETE' });
  await service.sql`update api_keys set expires_at = now() - interval '1 second' where id = ${expired.id}`;
  refusedKeys
    .set('no key', null)
    .set('unknown key', 'x'.repeat(40))
    .set('wrong secret', `${other.id}.${'x'.repeat(43)}`)
    .set('revoked key', revoked.token)
    .set('expired key', expired.token);
  for (const scope of SCOPES) scoped.set(scope, (await makeKey(service, { name: scope, scopes: [scope] })).token);
});
afterAll(() => world.close());

const nameOf = (call: Call) => call.operation.operationId!;
const rowOf = (call: Call) => OPERATIONS[nameOf(call)] ?? (['nobody', 'anybody'] as const);
const codeOf = ({ status, body }: WireAnswer) =>
  status < 400 ? '' : (JSON.parse(body.toString()) as Partial<ErrorBody>).code;
const callsOf = (...kinds: Foreign[]) => world.calls.filter((call) => kinds.includes(rowOf(call)[1]));

it('has an expectation for every operation of the document, and for nothing else', () => {
  expect(world.calls.map(nameOf).toSorted()).toEqual(Object.keys(OPERATIONS).toSorted());
});

describe('who may not ask', () => {
  it.each(['no key', 'unknown key', 'wrong secret', 'revoked key', 'expired key'])(
    '%s: 401 wherever a key is needed, and nothing is done',
    async (who) => {
      const before = await world.state();
      const wrong: string[] = [];
      for (const call of world.calls.filter((each) => rowOf(each)[0] !== 'nobody')) {
        const answer = await askAs(world, call, refusedKeys.get(who)!);
        if (answer.status !== 401 || codeOf(answer) !== 'UNAUTHENTICATED') wrong.push(`${call.at}: ${answer.status}`);
        wrong.push(...found(answer.body.toString(), marks).map((mark) => `${call.at} shows ${mark}`));
      }
      expect(listed(wrong)).toBe('');
      await world.untouched(before);
    },
  );

  it('a key without the scope: 403, and nothing is done', async () => {
    const before = await world.state();
    const wrong: string[] = [];
    let asked = 0;
    for (const call of world.calls) {
      const [needs] = rowOf(call);
      for (const scope of needs === 'nobody' || needs === 'key' ? [] : SCOPES.filter((each) => each !== needs)) {
        asked++;
        const answer = await askAs(world, call, scoped.get(scope)!);
        if (answer.status !== 403 || codeOf(answer) !== 'FORBIDDEN')
          wrong.push(`${call.at}, ${scope}: ${answer.status}`);
      }
    }
    expect(listed(wrong)).toBe('');
    expect(asked).toBeGreaterThan(100);
    await world.untouched(before);
  });
});

/** What is wrong with the answers to `key`, to whom all that the world has is foreign. */
async function leaks(key: string, url: string, kinds: readonly Foreign[]): Promise<string[]> {
  const named = idsOf(world);
  const wrong: string[] = [];
  for (const call of callsOf(...kinds)) {
    const [, kind] = rowOf(call);
    const [foreign, unknown] = [
      await askAs(world, call, key, { url }),
      await askAs(world, call, key, { url, unknown: true }),
    ];
    const text = `${[...foreign.headers].join('\n')}\n${foreign.body.toString('latin1')}`;
    const say = (what: string) => wrong.push(`${call.at}: ${foreign.status} ${what}`);
    if (kind === 'missing') {
      if (foreign.status !== 404) say('is not 404');
      if (visible(foreign, named) !== visible(unknown, named)) say('is told apart from an unknown id');
    }
    if (kind === 'denied' && (foreign.status !== 403 || codeOf(foreign) !== 'FORBIDDEN')) say('is not 403');
    if (kind === 'unlisted' && foreign.status !== 200) say('is not 200');
    // what a client named itself it may be told again
    const seen = found(text, marks).filter((mark) => kind === 'unlisted' || !named.includes(mark));
    for (const mark of seen) say(`shows ${mark}`);
  }
  return wrong;
}

/** Bulk ids: each foreign one stands in `missing`, in every form of the reply. */
async function bulkLeaks(key: string, url: string): Promise<string[]> {
  const wrong: string[] = [];
  const imageIds = [...world.ids.images];
  for (const accept of ['application/json', 'application/x-ndjson', 'application/vnd.segbench.polygons']) {
    const reply = await fetch(`${url}/api/segmentation/batch/results`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, accept, 'content-type': 'application/json' },
      body: JSON.stringify({ imageIds }),
    });
    const text = Buffer.from(await reply.arrayBuffer()).toString('latin1');
    if (reply.status !== 200) wrong.push(`${accept}: ${reply.status}`);
    const ending = /"missing":\[([^\]]*)\]/.exec(text)?.[1] ?? '';
    if (imageIds.some((id) => !ending.includes(id)))
      wrong.push(`${accept}: not all are missing: ${text.slice(0, 200)}`);
    if (/"polygons":|"polygonCount":/.test(text)) wrong.push(`${accept}: shows a result`);
  }
  const byBatch = await fetch(`${url}/api/segmentation/batch/results`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ batchId: world.ids.batches[0] }),
  });
  if (byBatch.status !== 404) wrong.push(`by batch: ${byBatch.status}`);
  return wrong;
}

describe('another tenant', () => {
  /** Signing in and out, and what it makes for itself, is looked at below. */
  const KINDS = ['missing', 'unlisted', 'denied'] as const;

  it('is answered as if nothing of this tenant were there, and changes nothing of it', async () => {
    const before = await world.state();
    expect(listed(await leaks(other.token, world.service.url, KINDS))).toBe('');
    expect(listed(await bulkLeaks(other.token, world.service.url))).toBe('');
    await world.untouched(before);
  });

  it('still is when the wall in PostgreSQL is down: the statements say whose rows they mean', async () => {
    const service = world.service;
    const tables = await service.sql<{ name: string }[]>`
      select relname as name from pg_class where relnamespace = 'public'::regnamespace and relrowsecurity`;
    expect(tables.length).toBeGreaterThan(20);
    const beside = await startTestApp({ CACHE: 'off' }, { beside: service });
    try {
      for (const { name } of tables) await service.sql`alter table ${service.sql(name)} disable row level security`;
      expect(listed(await leaks(other.token, beside.url, KINDS))).toBe('');
      expect(listed(await bulkLeaks(other.token, beside.url))).toBe('');
    } finally {
      for (const { name } of tables) await service.sql`alter table ${service.sql(name)} enable row level security`;
      await beside.close();
    }
  });

  it('still is when the statements mean the wrong tenant: PostgreSQL shows the connection its own rows alone', async () => {
    const { service } = world;
    const beside = await astray(service, await tenantIdOf(service, 'other'));
    try {
      const before = await world.state();
      const kinds = ['missing'] as const;
      expect(listed(await leaks(TEST_KEY, beside.url, kinds))).toBe('');
      expect(listed(await bulkLeaks(TEST_KEY, beside.url))).toBe('');
      for (const path of ['projects', 'keys', 'audit']) {
        const page: unknown = await (await beside.call(`/api/${path}`)).json();
        expect([path, page]).toMatchObject([path, { items: [], total: 0 }]);
      }
      expect((await beside.call('/api/projects', { method: 'POST', json: { name: 'x' } })).status).toBe(500);
      await world.untouched(before);
    } finally {
      await beside.close();
    }
  });

  it('gets 404 for its own batch of foreign images, as for unknown ones', async () => {
    const { service } = world;
    const [mine] = (
      (await (await service.call('/api/projects', { key: other.token })).json()) as { items: { id: string }[] }
    ).items;
    const ask = async (id: string) => {
      const reply = await service.call(`/api/projects/${mine!.id}/batches`, {
        method: 'POST',
        key: other.token,
        json: { imageIds: [id] },
      });
      return [reply.status, (await reply.text()).replaceAll(id, 'ID')];
    };
    const [foreign, unknown] = [await ask(world.ids.images[0]!), await ask('01980000-0000-7000-8000-0000000000ff')];
    expect(foreign).toEqual(unknown);
    expect(foreign[0]).toBe(404);
  });
});

/** An app whose statements name the operator's tenant while its connections are another's: what a forgotten or wrong filter does. */
async function astray(service: TestApp, tenantId: string): Promise<TestApp> {
  const real = createConnections(service.app.config);
  const connections: Connections = { ...real, of: () => real.of(tenantId) };
  return startTestApp({ CACHE: 'off', LOG_LEVEL: 'silent' }, { beside: service, connections });
}
