import type { Scope } from '#contract/common.ts';
import { UNKNOWN_ID, nounOf, type Call, type World } from '../contract-bad-input/world.ts';
import { send, type WireAnswer } from '../contract-bad-input/wire.ts';
import type { TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';

export const SCOPES = ['read', 'write', 'admin', 'metrics'] as const satisfies Scope[];
/** All that another tenant than the operator's can have. */
export const OTHERS_SCOPES = SCOPES.filter((scope) => scope !== 'metrics');

export interface MadeKey {
  id: string;
  token: string;
  tenant?: string;
}
export async function makeKey(service: TestApp, json: Record<string, unknown>, key?: string): Promise<MadeKey> {
  const reply = await service.call('/api/keys', { method: 'POST', json, ...(key !== undefined && { key }) });
  if (reply.status !== 201) throw new Error(`key: ${reply.status} ${await reply.text()}`);
  return (await reply.json()) as MadeKey;
}
export const newTenant = (service: TestApp, tenant: string): Promise<MadeKey> =>
  makeKey(service, { name: `first of ${tenant}`, scopes: OTHERS_SCOPES, tenant });
export async function tenantIdOf(service: TestApp, name: string): Promise<string> {
  const [row] = await service.sql<{ id: string }[]>`select id from tenants where name = ${name}`;
  return row!.id;
}

const BOUNDARY = 'tenants-boundary';
/** An upload that would be accepted. */
export async function upload(): Promise<{ body: Buffer; type: string }> {
  const request = new Request('http://x', {
    method: 'POST',
    body: form([{ name: 'mine.png', bytes: await picture(99) }]),
  });
  const text = Buffer.from(await request.arrayBuffer());
  const type = request.headers.get('content-type')!;
  const own = /boundary=(.*)$/.exec(type)![1]!;
  return {
    body: Buffer.from(text.toString('latin1').replaceAll(own, BOUNDARY), 'latin1'),
    type: `multipart/form-data; boundary=${BOUNDARY}`,
  };
}

/** Sends an operation with the key, and with the world's ids, or with ids that nobody has. */
export async function askAs(
  world: World,
  call: Call,
  key: string | null,
  options: { url?: string; unknown?: boolean; ids?: Partial<Record<string, string>>; body?: unknown } = {},
): Promise<WireAnswer> {
  const names = [...call.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
  const path = Object.fromEntries(
    names.map((name) => {
      const noun = nounOf(call.path, name);
      return [name, options.unknown ? UNKNOWN_ID : (options.ids?.[noun] ?? world.ids[noun][0]!)];
    }),
  );
  const file = call.multipart ? await upload() : null;
  const request = world.request(call, {
    path,
    headers: [
      ...(key === null ? [] : [['authorization', `Bearer ${key}`] as const]),
      ...(file ? [['content-type', file.type] as const, ['content-length', String(file.body.length)] as const] : []),
    ],
    ...(key === null && { without: ['authorization'] }),
    ...(file && { body: file.body }),
    ...(options.body !== undefined && { body: JSON.stringify(options.body) }),
  });
  return send(options.url ?? world.service.url, request);
}

/** Headers that tell of the moment and not of what was asked for. */
const MOMENT = new Set(['date', 'connection', 'keep-alive']);
/** All of an answer that a client can see, with the ids that it named itself left out. */
export function visible({ status, headers, body }: WireAnswer, named: readonly string[]): string {
  const text = [
    String(status),
    ...[...headers].filter(([name]) => !MOMENT.has(name)).map(([name, value]) => `${name}: ${value}`),
    body.toString('latin1'),
  ].join('\n');
  return named.reduce((all, id) => all.replaceAll(id, 'ID'), text);
}
export const idsOf = (world: World): string[] => [UNKNOWN_ID, ...Object.values(world.ids).flat()];
/** Every string that must not reach a foreign tenant: ids, names and hashes of what the world holds. */
export async function marksOf(world: World): Promise<string[]> {
  const { sql } = world.service;
  const rows = await sql<{ mark: string }[]>`
    select id::text as mark from projects union all select id::text from images union all select id::text from batches
    union all select id::text from exports union all select id::text from results union all select id::text from api_keys
    union all select encode(sha256, 'hex') from blobs`;
  return [...rows.map(({ mark }) => mark), 'image-0.png', 'bootstrap', 'spare'];
}
export const found = (text: string, marks: readonly string[]): string[] => marks.filter((mark) => text.includes(mark));
