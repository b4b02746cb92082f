import { signal } from '@preact/signals';
import type { BodyOf, ReplyOf } from '#contract/client.ts';
import type { Api } from './api.ts';

export type Who = ReplyOf<'GET /api/session'>;
export type KeyRow = ReplyOf<'GET /api/keys'>['items'][number];
export type NewKey = ReplyOf<'POST /api/keys'>;
export type Scope = KeyRow['scopes'][number];

const DAY_MS = 86_400_000;
/** How long a key may hold, in days. */
export const EXPIRIES = { never: null, day: 1, month: 30, quarter: 90, year: 365 } as const;
export type Expiry = keyof typeof EXPIRIES;
/** What one page of the interface holds; who has more keys than that lists them by the interface. */
const KEYS_SHOWN = 500;

export type KeyState = 'active' | 'expired' | 'revoked';
export function keyState({ revokedAt, expiresAt }: Pick<KeyRow, 'revokedAt' | 'expiresAt'>, now: number): KeyState {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && Date.parse(expiresAt) <= now ? 'expired' : 'active';
}

/** Who is signed in, and, where that key may manage keys, all of them. */
export function createKeys({ api, now }: { api: Api; now: () => number }) {
  const who = signal<Who | null>(null);
  const keys = signal<{ items: readonly KeyRow[]; total: number } | null>(null);
  /** Shown once, until the person says that it is kept. */
  const made = signal<NewKey | null>(null);
  /** A key was made and kept: the form has the focus again. */
  const again = signal(false);
  const revoked = signal<KeyRow | null>(null);
  const error = signal<string | null>(null);
  const busy = signal(false);

  /** @returns whether it went well; what failed stands in `error` */
  async function act(work: () => Promise<void>): Promise<boolean> {
    if (busy.peek()) return false;
    busy.value = true;
    error.value = null;
    try {
      await work();
      return true;
    } catch (cause) {
      error.value = cause instanceof Error ? cause.message : String(cause);
      return false;
    } finally {
      busy.value = false;
    }
  }
  async function read(): Promise<void> {
    who.value = await api.call('GET /api/session');
    if (!who.value.scopes.includes('admin')) return void (keys.value = null);
    const { items, total } = await api.call('GET /api/keys', { query: { limit: KEYS_SHOWN } });
    keys.value = { items, total };
  }
  return {
    who,
    keys,
    made,
    again,
    revoked,
    error,
    busy,
    load: () => act(read),
    create: (name: string, scopes: Scope[], expiry: Expiry) =>
      act(async () => {
        const days = EXPIRIES[expiry];
        const expiresAt = days === null ? null : new Date(now() + days * DAY_MS).toISOString();
        made.value = await api.call('POST /api/keys', {
          body: { name: name.trim(), scopes, expiresAt } satisfies BodyOf<'POST /api/keys'>,
        });
        await read();
      }),
    /** The token is forgotten here, too. */
    kept(): void {
      again.value = true;
      made.value = null;
    },
    revoke: (key: KeyRow) =>
      act(async () => {
        await api.call('DELETE /api/keys/{id}', { path: { id: key.id } });
        if (made.peek()?.id === key.id) made.value = null;
        revoked.value = key;
        await read();
      }),
    /** Whatever is asked for then brings the form to sign in. */
    signOut: () =>
      act(async () => {
        await api.call('DELETE /api/session');
        await read();
      }),
  };
}
export type Keys = ReturnType<typeof createKeys>;
