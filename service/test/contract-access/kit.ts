import { expect } from 'vitest';
import type { AuditRow, Key, NewSession } from '#contract/admin.ts';
import type { Scope } from '#contract/common.ts';
import type { Static } from 'typebox';
import { TEST_KEY, type TestApp } from '../support/app.ts';

export type Audit = Static<typeof AuditRow>;
export type MadeKey = Key & { token: string };

export async function makeKey(app: TestApp, scopes: readonly Scope[], more: object = {}): Promise<MadeKey> {
  const reply = await app.call('/api/keys', { method: 'POST', json: { name: scopes.join('+'), scopes, ...more } });
  expect(reply.status).toBe(201);
  return (await reply.json()) as MadeKey;
}

/** A session as a browser has it: its cookie and nothing else. */
export interface SignedIn {
  cookie: string;
  /** The whole header, attributes and all. */
  setCookie: string;
  body: Static<typeof NewSession>;
}
export async function signIn(
  app: TestApp,
  key: string = TEST_KEY,
  headers: Record<string, string> = {},
): Promise<SignedIn> {
  const reply = await app.call('/api/session', { method: 'POST', key: null, json: { key }, headers });
  expect(reply.status).toBe(201);
  const setCookie = reply.headers.get('set-cookie')!;
  return { cookie: setCookie.split(';')[0]!, setCookie, body: (await reply.json()) as Static<typeof NewSession> };
}

type Init = Parameters<TestApp['call']>[1];
/** Asks by cookie, from the service's own page. */
export const byCookie = (app: TestApp, { cookie }: SignedIn, path: string, init: Init = {}): Promise<Response> =>
  app.call(path, { ...init, key: null, headers: { cookie, origin: app.url, ...(init?.headers as object) } });

/** Newest first. */
export async function auditRows(app: TestApp, limit = 500): Promise<Audit[]> {
  return ((await (await app.call(`/api/audit?limit=${limit}`)).json()) as { items: Audit[] }).items;
}

/** Every table of the database as text: what is in none of its rows is kept nowhere. */
export async function wholeDatabase(app: TestApp): Promise<string> {
  const { sql } = app;
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`;
  const texts = await Promise.all(
    tables.map(async ({ name }) =>
      (await sql<{ row: string }[]>`select t::text as row from ${sql(name)} t`).map(({ row }) => row),
    ),
  );
  return texts.flat().join('\n');
}
