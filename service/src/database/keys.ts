import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Scope } from '#contract/common.ts';
import { SCOPES } from '#contract/common.ts';
import type { ApiKey } from '../plugins/decorators.ts';
import { apiError, badValue } from '../errors.ts';
import { FIRST_TENANT } from '../tenants/first.ts';
import type { Owner } from '../tenants/owner.ts';
import type { Sql } from './client.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
/** 256 bits. */
const newSecret = (): string => randomBytes(32).toString('base64url');
/** `id.secret`: the id says which key is meant, so that a secret is compared and never searched for. */
const newToken = (id: string): string => `${id}.${newSecret()}`;
const TOKEN = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.[\w-]{43}$/;

/** Told to all API processes when a key is revoked or a session ends. */
export const KEYS_CHANNEL = 'segbench_keys';
const TRUSTED_MAX = 10_000;
const ORDER = { list: 'keys', sort: 'createdAt' };

export interface KeyStoreOptions {
  now?: () => number;
  /** How long a key that was found is believed without asking again. */
  trustMs?: number;
  sessionSeconds?: number;
}

export interface NewKey {
  name: string;
  scopes: readonly Scope[];
  expiresAt?: Date | null;
  tenantId: string;
}
export interface KeyRow extends ApiKey {
  createdAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
}

type FoundKey = ApiKey & { holdsUntil: Date | null };
type Candidate = FoundKey & { sha256: Buffer };

const columnsOf = (
  sql: Sql,
) => sql`id, name, scopes, tenant_id as "tenantId", created_at as "createdAt", expires_at as "expiresAt",
  revoked_at as "revokedAt", last_used_at as "lastUsedAt"`;

/** Whether the tenant has such a key, revoked or not. */
export async function hasKey({ sql, tenantId }: Owner, id: string): Promise<boolean> {
  const rows = await sql`select id from api_keys where id = ${id} and tenant_id = ${tenantId}`;
  return rows.length > 0;
}

/** Keys of a tenant, oldest first, without their hashes. */
export async function listKeys({ sql, tenantId }: Owner, limit: number, offset: number, cursor: string | undefined) {
  if (cursor !== undefined && offset > 0) throw badValue('offset', offset, 'nothing or 0 together with cursor');
  const at = cursor === undefined ? null : decodeCursor(cursor, ORDER);
  const [rows, [counted]] = await Promise.all([
    sql<(KeyRow & { at: string })[]>`
      select ${columnsOf(sql)}, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
      from api_keys where tenant_id = ${tenantId}
        ${at ? sql`and (created_at, id) > (${String(at.value)}::text::timestamptz, ${at.id})` : sql``}
      order by created_at, id limit ${limit + 1} offset ${offset}`,
    sql<{ total: number }[]>`select count(*) as total from api_keys where tenant_id = ${tenantId}`,
  ]);
  const last = rows[limit - 1];
  const nextCursor = rows.length > limit && last ? encodeCursor({ ...ORDER, value: last.at, id: last.id }) : null;
  return { rows: rows.slice(0, limit) as KeyRow[], total: counted?.total ?? 0, nextCursor };
}

/**
 * Keys and sessions; only the SHA-256 of a token is stored.
 * @param sql of a role that sees the keys of all tenants: whoever asks is not known yet. What is done for a tenant names it.
 */
export function createKeyStore(sql: Sql, options: KeyStoreOptions = {}) {
  const { now = Date.now, trustMs = 5000, sessionSeconds = 12 * 3600 } = options;
  const trusted = new Map<string, { key: ApiKey; until: number; endsAt: number | null }>();

  const nameOf = (token: string) => hashOf(token).toString('base64');
  let doubts = 0;
  /** Every key is looked up again; what has proved good stays familiar. */
  const forget = () => {
    doubts++;
    for (const entry of trusted.values()) entry.until = 0;
  };
  const announce = async () => {
    forget();
    await sql`select pg_notify(${KEYS_CHANNEL}, '')`;
  };

  /** `find` also says until when the key holds: trust never outlives it. */
  async function remember(token: string, find: () => Promise<FoundKey | undefined>): Promise<ApiKey | null> {
    const name = nameOf(token);
    const known = trusted.get(name);
    if (known && known.until > now()) return known.key;
    const asked = doubts;
    const found = await find();
    if (!found) {
      trusted.delete(name);
      return null;
    }
    const { holdsUntil, ...key } = found;
    if (trusted.size >= TRUSTED_MAX) trusted.clear();
    // What was read before a revocation came is not believed after it.
    const until = asked === doubts ? Math.min(now() + trustMs, holdsUntil?.getTime() ?? Infinity) : 0;
    trusted.set(name, { key, until, endsAt: holdsUntil?.getTime() ?? null });
    return key;
  }

  /**
   * A token that names its key is looked up by that id, others (`BOOTSTRAP_API_KEY`, and those of older versions) by their hash, of
   * which nobody can choose the bits. Either way the hashes are then compared in constant time.
   */
  async function find(token: string): Promise<FoundKey | undefined> {
    const given = hashOf(token);
    const id = TOKEN.exec(token)?.[1] ?? null;
    const candidates = await sql<Candidate[]>`
      select k.id, k.name, k.scopes, k.tenant_id as "tenantId", k.expires_at as "holdsUntil", k.token_sha256 as sha256
      from api_keys k where (k.id = ${id}::uuid or k.token_sha256 = ${given})
        and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
      union all
      select k.id, k.name, k.scopes, k.tenant_id, least(k.expires_at, r.ends_at), r.token_sha256
      from retired_secrets r join api_keys k on k.id = r.key_id
      where (r.key_id = ${id}::uuid or r.token_sha256 = ${given}) and r.ends_at > now()
        and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())`;
    // all of them, so that the time tells nothing of which one it was
    const [found] = candidates.filter(({ sha256 }) => timingSafeEqual(sha256, given));
    if (!found) return undefined;
    const { sha256: _, ...key } = found;
    await sql`update api_keys set last_used_at = now() where id = ${key.id}`;
    return key;
  }
  const columns = columnsOf(sql);

  return {
    /** When a key or session that was found ends by itself; null for never, or where it was not looked up here. */
    endOf: ({ token, session }: { token: string | undefined; session: string | undefined }): number | null =>
      trusted.get(nameOf(token === undefined ? `session ${session}` : `key ${token}`))?.endsAt ?? null,
    /** Another process changed some. */
    forget,
    /** Whether the key or session has proved good in this process before; it may have ended since. */
    isFamiliar: ({ token, session }: { token: string | undefined; session: string | undefined }): boolean =>
      (token !== undefined && trusted.has(nameOf(`key ${token}`))) ||
      (token === undefined && session !== undefined && trusted.has(nameOf(`session ${session}`))),
    /** The key of a bearer token, or null when it is unknown, expired or revoked. */
    byToken: (token: string): Promise<ApiKey | null> => remember(`key ${token}`, () => find(token)),
    bySession: (token: string): Promise<ApiKey | null> =>
      remember(`session ${token}`, async () => {
        const [key] = await sql<FoundKey[]>`
          select k.id, k.name, k.scopes, k.tenant_id as "tenantId", least(s.expires_at, k.expires_at) as "holdsUntil"
          from sessions s join api_keys k on k.id = s.key_id
          where s.token_sha256 = ${hashOf(token)} and s.expires_at > now()
            and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())`;
        return key;
      }),
    /** It lasts no longer than its key. */
    async openSession(keyId: string): Promise<{ token: string; expiresAt: Date; seconds: number }> {
      const token = `ss_${newSecret()}`;
      const latest = new Date(now() + sessionSeconds * 1000);
      await sql`delete from sessions where expires_at < now()`;
      const [row] = await sql<{ expiresAt: Date }[]>`
        insert into sessions (token_sha256, key_id, expires_at)
        select ${hashOf(token)}, id, least(${latest}, expires_at) from api_keys where id = ${keyId}
        returning expires_at as "expiresAt"`;
      const { expiresAt } = row!;
      return { token, expiresAt, seconds: Math.max(0, Math.round((expiresAt.getTime() - now()) / 1000)) };
    },
    async closeSession(token: string): Promise<void> {
      await sql`delete from sessions where token_sha256 = ${hashOf(token)}`;
      await announce();
    },
    /** The token is given out here and never again. */
    async create(key: NewKey): Promise<KeyRow & { token: string }> {
      const id = randomUUID();
      const token = newToken(id);
      const [row] = await sql<KeyRow[]>`
        insert into api_keys (id, name, token_sha256, scopes, expires_at, tenant_id)
        values (${id}, ${key.name}, ${hashOf(token)}, ${sql.array([...key.scopes])}, ${key.expiresAt ?? null}, ${key.tenantId})
        returning ${columns}`;
      return { ...row!, token };
    },
    /** False when the tenant has no such key, or it is revoked already. Its sessions end with it. */
    async revoke(tenantId: string, id: string): Promise<boolean> {
      const rows = await sql`
        update api_keys set revoked_at = now() where id = ${id} and tenant_id = ${tenantId} and revoked_at is null returning id`;
      if (rows.length === 0) return false;
      await sql`delete from sessions where key_id = ${id}`;
      await announce();
      return true;
    },
    /**
     * Gives a key another secret. The one before holds for `overlapSeconds` more, and so do its sessions; with 0 both end at once.
     * @returns null when the tenant has no such key, or it has ended
     */
    async rotate(tenantId: string, id: string, overlapSeconds: number): Promise<(KeyRow & { token: string }) | null> {
      const token = newToken(id);
      const endsAt = new Date(now() + overlapSeconds * 1000);
      const row = await sql.begin(async (tx) => {
        const [old] = await tx<{ sha256: Buffer }[]>`
          select token_sha256 as sha256 from api_keys
          where id = ${id} and tenant_id = ${tenantId} and revoked_at is null and (expires_at is null or expires_at > now())
          for update`;
        if (!old) return null;
        await tx`insert into retired_secrets (token_sha256, key_id, ends_at) values (${old.sha256}, ${id}, ${endsAt})`;
        await tx`update sessions set expires_at = least(expires_at, ${endsAt}) where key_id = ${id}`;
        const [row] = await tx<
          KeyRow[]
        >`update api_keys set token_sha256 = ${hashOf(token)} where id = ${id} returning ${columns}`;
        return row!;
      });
      if (row === null) return null;
      await announce();
      return { ...row, token };
    },
    /**
     * The tenant of this name, which is made where there is none.
     * @throws ApiError CONFLICT when there are `most` already
     */
    async tenantNamed(name: string, most: number): Promise<{ id: string; made: boolean }> {
      return sql.begin(async (tx) => {
        await tx`select pg_advisory_xact_lock(7305810513)`;
        const [known] = await tx<{ id: string }[]>`select id from tenants where name = ${name}`;
        if (known) return { ...known, made: false };
        const [counted] = await tx<{ count: number }[]>`select count(*) as count from tenants`;
        if (counted!.count >= most)
          throw apiError('CONFLICT', `there are ${counted!.count} tenants: at most ${most} may be made (TENANTS_MAX)`);
        const id = randomUUID();
        await tx`insert into tenants (id, name) values (${id}, ${name})`;
        return { id, made: true };
      });
    },
    async tenantId(name: string): Promise<string | null> {
      const [row] = await sql<{ id: string }[]>`select id from tenants where name = ${name}`;
      return row?.id ?? null;
    },
    async tenantName(id: string): Promise<string | null> {
      const [row] = await sql<{ name: string }[]>`select name from tenants where id = ${id}`;
      return row?.name ?? null;
    },
    /**
     * Sees to it that somebody can use the service: stores the given token with all scopes, or makes one when no key exists.
     * @returns the new token, to be shown once; null when none was made.
     */
    ensureBootstrap: (given: string): Promise<string | null> =>
      sql.begin(async (tx) => {
        await tx`select pg_advisory_xact_lock(7305810512)`;
        const [row] = await tx<{ count: number }[]>`select count(*) as count from api_keys`;
        if (given === '' && row!.count > 0) return null;
        const id = randomUUID();
        const token = given || newToken(id);
        // one that was rotated away stays away
        await tx`insert into api_keys (id, name, token_sha256, scopes, tenant_id)
          select ${id}::uuid, 'bootstrap', ${hashOf(token)}::bytea, ${tx.array([...SCOPES])}::text[], ${FIRST_TENANT}::uuid
          where not exists (select from retired_secrets where token_sha256 = ${hashOf(token)})
          on conflict (token_sha256) do nothing`;
        return given === '' ? token : null;
      }),
  };
}
export type KeyStore = ReturnType<typeof createKeyStore>;
