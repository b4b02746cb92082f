import { signal } from '@preact/signals';
import type { BodyOf, ReplyOf } from '#contract/client.ts';
import { WORDS } from '../../words/keys.ts';
import type { Api } from '../api.ts';
import type { LiveRegion } from '../LiveRegion.ts';

export type Who = ReplyOf<'GET /api/session'>;
export type KeyRow = ReplyOf<'GET /api/keys'>['items'][number];
export type NewKey = ReplyOf<'POST /api/keys'>;
/** A token that is shown this once, and of what. */
export interface Made {
  key: NewKey;
  how: 'made' | 'rotated';
}
export type Scope = KeyRow['scopes'][number];

const DAY_MS = 86_400_000;
/** How long a key may hold, in days. */
export const EXPIRIES = { never: null, day: 1, month: 30, quarter: 90, year: 365 } as const;
export type Expiry = keyof typeof EXPIRIES;
/** How long the secret before may hold beside a new one, in seconds. */
export const OVERLAPS = { none: 0, hour: 3600, day: 86_400, week: 604_800 } as const;
export type Overlap = keyof typeof OVERLAPS;
/** What one page of the interface holds; who has more keys than that lists them by the interface. */
const KEYS_SHOWN = 500;

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

export type KeyState = 'active' | 'expired' | 'revoked';
export function keyState({ revokedAt, expiresAt }: Pick<KeyRow, 'revokedAt' | 'expiresAt'>, now: number): KeyState {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && Date.parse(expiresAt) <= now ? 'expired' : 'active';
}

/** Who is signed in, and, where that key may manage keys, all of them. */
export function createKeys({ api, now, live }: { api: Api; now: () => number; live: LiveRegion }) {
  const who = signal<Who | null>(null);
  const keys = signal<{ items: readonly KeyRow[]; total: number } | null>(null);
  /** Shown once, until the person says that it is kept. */
  const made = signal<Made | null>(null);
  /** A key was made and kept: the form has the focus again. */
  const again = signal(false);
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
      error.value = messageOf(cause);
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
    live,
    error,
    busy,
    /** @returns whether it went well; until it does, `error` stays */
    async load(): Promise<boolean> {
      try {
        await read();
        error.value = null;
      } catch (cause) {
        error.value = messageOf(cause);
      }
      return error.peek() === null;
    },
    create: (name: string, scopes: Scope[], expiry: Expiry) =>
      act(async () => {
        const days = EXPIRIES[expiry];
        const expiresAt = days === null ? null : new Date(now() + days * DAY_MS).toISOString();
        const body = { name: name.trim(), scopes, expiresAt } satisfies BodyOf<'POST /api/keys'>;
        made.value = { key: await api.call('POST /api/keys', { body }), how: 'made' };
        await read();
      }),
    rotate: (key: KeyRow, overlap: Overlap) =>
      act(async () => {
        const body = { overlapSeconds: OVERLAPS[overlap] };
        const next = await api.call('POST /api/keys/{id}/rotate', { path: { id: key.id }, body });
        // The session ended with the secret before: whoever rotates their own key must not lose the new one with the page.
        if (key.id === who.peek()?.keyId) await api.call('POST /api/session', { body: { key: next.token } });
        made.value = { key: next, how: 'rotated' };
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
        if (made.peek()?.key.id === key.id) made.value = null;
        live.announce(WORDS.revoke.done(key.name), true);
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
