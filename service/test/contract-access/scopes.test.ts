import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Key } from '#contract/admin.ts';
import type { ErrorBody, Scope } from '#contract/common.ts';
import type { Document, Operation } from '../../src/openapi/document.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

/** `key`: any valid one; `nobody`: no key is needed. What each operation needs, written down apart from the routes. */
const NEEDS: Record<Scope | 'key' | 'nobody', string> = {
  nobody: 'getDocument getDocs getLiveness getReadiness createSession',
  key: 'getSession deleteSession queryGraph',
  read: `listProjects getProject listImages getIndex getImage getTimeline getImageFile renderImage renderOverlay getThumbnails listBatches
    getBatch getFailures getQueue getNow forecastBatch listForecasts listRuns getRun getRunReport openEvents readResults getResult createExport getExport downloadExport openGraph`,
  write: `createProject updateProject deleteProject uploadImages deleteImage createBatch pauseBatch resumeBatch cancelBatch
    retryBatch`,
  metrics: 'getHealth getSummary getPerformance getSlowQueries getEndpoints getPrometheus relayAlerts',
  admin: 'createKey listKeys deleteKey rotateKey listAudit',
};
const SCOPES = ['read', 'write', 'admin', 'metrics'] as const satisfies Scope[];
const UNKNOWN = '00000000-0000-4000-8000-000000000001';

interface Found {
  id: string;
  path: string;
  method: string;
  operation: Operation;
}
let service: TestApp;
let operations: Found[];
const tokens = new Map<string, string>();

async function newKey(name: string, scopes: Scope[]): Promise<Key & { token: string }> {
  const reply = await service.call('/api/keys', { method: 'POST', json: { name, scopes } });
  return (await reply.json()) as Key & { token: string };
}
beforeAll(async () => {
  service = await startTestApp();
  const { paths } = (await (await service.call('/openapi.json')).json()) as Document;
  operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ id: operation.operationId!, path, method, operation })),
  );
  for (const scope of SCOPES) tokens.set(scope, (await newKey(scope, [scope])).token);
  const [revoked, expired] = [await newKey('revoked', [...SCOPES]), await newKey('expired', [...SCOPES])];
  await service.call(`/api/keys/${revoked.id}`, { method: 'DELETE' });
  await service.sql`update api_keys set expires_at = now() - interval '1 second' where id = ${expired.id}`;
  tokens.set('revoked', revoked.token).set('expired', expired.token).set('unknown', 'x'.repeat(40));
});
afterAll(() => service.close());

const needed = ({ id }: Found) =>
  Object.entries(NEEDS).find(([, ids]) => ids.split(/\s+/).includes(id))?.[0] ?? 'not in the table';
/** Only who asks matters: the ids are unknown, and bodies are empty. */
async function ask({ path, method, operation }: Found, key: string | null) {
  const reply = await service.call(path.replace(/\{\w+\}/g, UNKNOWN), {
    method: method.toUpperCase(),
    key,
    ...(operation.requestBody?.content['application/json'] ? { json: {} } : {}),
  });
  const text = await reply.text();
  const code = reply.status < 400 ? '' : (JSON.parse(text) as ErrorBody).code;
  return { status: reply.status, code, challenge: reply.headers.get('www-authenticate') };
}

describe('scopes', () => {
  it('are documented for every operation as the table has them', () => {
    const documented = operations.map((found) => {
      const { 'x-scope': scope, security } = found.operation as Operation & { 'x-scope'?: string };
      return [found.id, scope ?? (security?.length === 0 ? 'nobody' : 'key')];
    });
    expect(documented).toEqual(operations.map((found) => [found.id, needed(found)]));
    expect(operations.length).toBe(Object.values(NEEDS).join(' ').split(/\s+/).length);
  });

  it.each(SCOPES)('a key with %s alone gets what needs it, and 403 elsewhere', async (scope) => {
    const wrong: string[] = [];
    for (const found of operations) {
      const { status, code } = await ask(found, tokens.get(scope)!);
      const open = [scope, 'key', 'nobody'].includes(needed(found));
      const refused = status === 403 && code === 'FORBIDDEN';
      if (refused === open || status === 401 || status >= 500) wrong.push(`${found.id}: ${status} ${code}`);
    }
    // Signing in needs a key in the body or header, and both are refused by their content.
    expect(wrong.filter((line) => !line.startsWith('createSession'))).toEqual([]);
  });

  it.each(['nobody', 'unknown', 'expired', 'revoked'])('%s gets 401 wherever a key is needed', async (who) => {
    const wrong: string[] = [];
    for (const found of operations) {
      const { status, code, challenge } = await ask(found, tokens.get(who) ?? null);
      const open = needed(found) === 'nobody';
      if (!open && (status !== 401 || code !== 'UNAUTHENTICATED')) wrong.push(`${found.id}: ${status} ${code}`);
      // RFC 9110 section 11.6.1
      if ((challenge === 'Bearer') !== (status === 401))
        wrong.push(`${found.id}: ${status} challenges with ${challenge}`);
      if (open && found.id !== 'createSession' && status !== 200) wrong.push(`${found.id}: ${status} ${code}`);
    }
    expect(wrong).toEqual([]);
  });

  it('401 comes before what is wrong with ids, bodies and queries; 403 as well', async () => {
    for (const [key, expected] of [
      [null, 401],
      [tokens.get('metrics')!, 403],
    ] as const) {
      const given = [
        await service.call('/api/projects/abc?x=1', { key }),
        await service.call('/api/projects', { method: 'POST', key, body: '{', headers: { 'content-type': 'text/x' } }),
        await service.call(`/api/projects/${UNKNOWN}/images`, { method: 'POST', key, body: 'no form' }),
      ];
      expect(given.map(({ status }) => status)).toEqual([expected, expected, expected]);
    }
  });
});
