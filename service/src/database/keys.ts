import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Scope } from '#contract/common.ts';
import { SCOPES } from '#contract/common.ts';
import type { ApiKey } from '../plugins/decorators.ts';
import { badValue } from '../errors.ts';
import type { Sql } from './client.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';

const hashOf = (token: string): Buffer => createHash('sha256').update(token).digest();
const newToken = (prefix: string): string => `${prefix}_${randomBytes(32).toString('base64url')}`;

/** Told to all API processes when a key is revoked or a session ends. */
export const KEYS_CHANNEL = 'segbench_keys';
const TRUSTED_MAX = 10_000;

export interface KeyStoreOptions {
  now?: () => number;
  /** How long a key that was found is believed without asking again. */
  trustMs?: number;
  sessionSeconds?: number;
}

export interface KeyRow extends ApiKey {
  createdAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
}

type FoundKey = ApiKey & { holdsUntil: Date | null };

/** Keys and sessions; only the SHA-256 of a token is stored. */
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

  return {
    /** When a key or session that was found ends by itself; null for never, or where it was not looked up here. */
    endOf: ({ token, session }: { token: string | undefined; session: string | undefined }): number | null =>
      trusted.get(nameOf(token === undefined ? `session ${session}` : `key ${token}`))?.endsAt ?? null,
    /** Another process changed some. */
    forget,
    sessionSeconds,
    /** Whether the key or session has proved good in this process before; it may have ended since. */
    isFamiliar: ({ token, session }: { token: string | undefined; session: string | undefined }): boolean =>
      (token !== undefined && trusted.has(nameOf(`key ${token}`))) ||
      (token === undefined && session !== undefined && trusted.has(nameOf(`session ${session}`))),
    /** The key of a bearer token, or null when it is unknown, expired or revoked. */
    byToken: (token: string): Promise<ApiKey | null> =>
      remember(`key ${token}`, async () => {
        const [key] = await sql<FoundKey[]>`
          update api_keys set last_used_at = now()
          where token_sha256 = ${hashOf(token)} and revoked_at is null and (expires_at is null or expires_at > now())
          returning id, name, scopes, expires_at as "holdsUntil"`;
        return key;
      }),
    bySession: (token: string): Promise<ApiKey | null> =>
      remember(`session ${token}`, async () => {
        const [key] = await sql<FoundKey[]>`
          select k.id, k.name, k.scopes, least(s.expires_at, k.expires_at) as "holdsUntil" from sessions s join api_keys k on k.id = s.key_id
          where s.token_sha256 = ${hashOf(token)} and s.expires_at > now()
            and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())`;
        return key;
      }),
    async openSession(keyId: string): Promise<{ token: string; expiresAt: Date }> {
      const token = newToken('ss');
      const expiresAt = new Date(now() + sessionSeconds * 1000);
      await sql`delete from sessions where expires_at < now()`;
      await sql`insert into sessions (token_sha256, key_id, expires_at) values (${hashOf(token)}, ${keyId}, ${expiresAt})`;
      return { token, expiresAt };
    },
    async closeSession(token: string): Promise<void> {
      await sql`delete from sessions where token_sha256 = ${hashOf(token)}`;
      await announce();
    },
    /** The token is given out here and never again. */
    async create(name: string, scopes: readonly Scope[], expiresAt: Date | null): Promise<KeyRow & { token: string }> {
      const token = newToken('sb');
      const [row] = await sql<KeyRow[]>`
        insert into api_keys (id, name, token_sha256, scopes, expires_at)
        values (${randomUUID()}, ${name}, ${hashOf(token)}, ${sql.array([...scopes])}, ${expiresAt})
        returning id, name, scopes, created_at as "createdAt", expires_at as "expiresAt",
          revoked_at as "revokedAt", last_used_at as "lastUsedAt"`;
      return { ...row!, token };
    },
    async list(limit: number, offset: number, cursor: string | undefined) {
      if (cursor !== undefined && offset > 0) throw badValue('offset', offset, 'nothing or 0 together with cursor');
      const at = cursor === undefined ? null : decodeCursor(cursor, 'keys', 'createdAt');
      const [rows, [counted]] = await Promise.all([
        sql<(KeyRow & { at: string })[]>`
          select id, name, scopes, created_at as "createdAt", expires_at as "expiresAt", revoked_at as "revokedAt",
            last_used_at as "lastUsedAt", to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
          from api_keys ${at ? sql`where (created_at, id) > (${String(at.value)}::text::timestamptz, ${at.id})` : sql``}
          order by created_at, id limit ${limit + 1} offset ${offset}`,
        sql<{ total: number }[]>`select count(*) as total from api_keys`,
      ]);
      const last = rows[limit - 1];
      const nextCursor =
        rows.length > limit && last
          ? encodeCursor({ list: 'keys', sort: 'createdAt', value: last.at, id: last.id })
          : null;
      return { rows: rows.slice(0, limit) as KeyRow[], total: counted?.total ?? 0, nextCursor };
    },
    /** False when there is no such key, or it is revoked already. Its sessions end with it. */
    async revoke(id: string): Promise<boolean> {
      const rows =
        await sql`update api_keys set revoked_at = now() where id = ${id} and revoked_at is null returning id`;
      await sql`delete from sessions where key_id = ${id}`;
      await announce();
      return rows.length > 0;
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
        const token = given || newToken('sb');
        await tx`insert into api_keys (id, name, token_sha256, scopes)
          values (${randomUUID()}, 'bootstrap', ${hashOf(token)}, ${tx.array([...SCOPES])})
          on conflict (token_sha256) do nothing`;
        return given === '' ? token : null;
      }),
  };
}
export type KeyStore = ReturnType<typeof createKeyStore>;
