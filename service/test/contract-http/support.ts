import { expect } from 'vitest';
import type { ErrorBody, Scope } from '#contract/common.ts';
import { SCOPES } from '#contract/common.ts';
import type { Project } from '#contract/images.ts';
import type { TestApp } from '../support/app.ts';
import { FIRST_TENANT } from '../../src/tenants/first.ts';

/** An id that nothing has. */
export const UNKNOWN = '00000000-0000-4000-8000-000000000001';
/** Every field of an error that has no more to tell. */
export const ERROR_FIELDS = ['code', 'error', 'message', 'statusCode'];

type Init = NonNullable<Parameters<TestApp['call']>[1]>;
export interface Answer<T> {
  status: number;
  body: T;
}
/** A call, and its body as JSON; null where there is none. */
export async function ask<T = ErrorBody>(service: TestApp, path: string, init: Init = {}): Promise<Answer<T>> {
  const reply = await service.call(path, init);
  const text = await reply.text();
  return { status: reply.status, body: (text === '' ? null : JSON.parse(text)) as T };
}
export const send = <T = ErrorBody>(service: TestApp, method: string, path: string, json?: unknown) =>
  ask<T>(service, path, { method, ...(json === undefined ? {} : { json }) });

export async function newProject(service: TestApp, name = 'plate 7', pixelSizeUm?: number | null): Promise<Project> {
  const json = { name, ...(pixelSizeUm === undefined ? {} : { pixelSizeUm }) };
  const { status, body } = await send<Project>(service, 'POST', '/api/projects', json);
  expect({ status, body }).toMatchObject({ status: 201 });
  return body;
}

/** Tokens by who asks: one key a scope, those that are good for nothing, and null for nobody. */
export type Asker = Scope | 'no key' | 'unknown key' | 'expired key' | 'revoked key';
export async function createAskers(service: TestApp): Promise<Map<Asker, string | null>> {
  const { keys } = service.app;
  const askers = new Map<Asker, string | null>([
    ['no key', null],
    ['unknown key', `sb_${'x'.repeat(43)}`],
  ]);
  for (const scope of SCOPES)
    askers.set(scope, (await keys.create({ name: `only ${scope}`, scopes: [scope], tenantId: FIRST_TENANT })).token);
  // With every scope, so that nothing but their end can be the reason.
  askers.set(
    'expired key',
    (
      await keys.create({
        name: 'expired',
        scopes: SCOPES,
        expiresAt: new Date(Date.now() - 1),
        tenantId: FIRST_TENANT,
      })
    ).token,
  );
  const revoked = await keys.create({ name: 'revoked', scopes: SCOPES, tenantId: FIRST_TENANT });
  expect((await send(service, 'DELETE', `/api/keys/${revoked.id}`)).status).toBe(204);
  return askers.set('revoked key', revoked.token);
}

export interface ListReply<T> {
  items: T[];
  total: number;
  limit: number;
  offset: number;
  nextCursor: string | null;
}
/** A page of a list that must be there. `path` may have a query already. */
export async function page<T>(service: TestApp, path: string, query: Record<string, string | number> = {}) {
  const url = new URL(path, 'http://x');
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, String(value));
  const { status, body } = await ask<ListReply<T>>(service, url.pathname + url.search);
  expect({ path: url.pathname + url.search, status, body }).toMatchObject({ status: 200 });
  return body;
}
/** All items by cursor, `limit` at a time; `between` runs after each page but the last. */
export async function walk<T>(
  service: TestApp,
  path: string,
  limit: number,
  between: (nth: number) => Promise<void> = async () => {},
): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | null = null;
  for (let nth = 0; nth === 0 || cursor !== null; nth++) {
    if (nth > 0) await between(nth);
    const next: ListReply<T> = await page<T>(service, path, { limit, ...(cursor === null ? {} : { cursor }) });
    all.push(...next.items);
    ({ nextCursor: cursor } = next);
    expect(nth, `pages of ${path}`).toBeLessThan(1000);
  }
  return all;
}
