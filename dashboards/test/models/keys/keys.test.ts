import { describe, expect, it } from 'vitest';
import { createApi } from '../../../src/models/api.ts';
import { createKeys, keyState, type KeyRow } from '../../../src/models/keys/Keys.ts';
import { createLiveRegion } from '../../../src/models/LiveRegion.ts';
import { createFakeClock } from '../../fake-clock.ts';

const NOW = Date.parse('2026-03-02T10:00:00Z');
const row = (change: Partial<KeyRow> = {}): KeyRow => ({
  id: '01980000-0000-7000-8000-000000000001',
  name: 'microscope',
  scopes: ['read'],
  createdAt: '2026-03-01T00:00:00.000Z',
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
  ...change,
});

/** The service's keys, as far as this page asks for them. */
function startKeys(scopes: readonly string[]) {
  const asked: { route: string; body: unknown }[] = [];
  const rows = [row()];
  const api = createApi({
    onSignedOut: () => {},
    async fetch(url, init) {
      const route = `${init?.method} ${url}`;
      asked.push({ route, body: init?.body === undefined ? null : JSON.parse(init.body as string) });
      if (route === 'GET /api/session') return Response.json({ keyId: rows[0]!.id, name: 'owner', scopes });
      if (route.startsWith('GET /api/keys')) return Response.json({ items: rows, total: rows.length });
      if (route === 'POST /api/keys') {
        const made = row({ id: '01980000-0000-7000-8000-000000000002', name: 'made' });
        rows.push(made);
        return Response.json({ ...made, token: 'the token' }, { status: 201 });
      }
      if (route.endsWith('/rotate'))
        return Response.json({ ...rows.find(({ id }) => route.includes(id)), token: 'the next' });
      if (route === 'POST /api/session') return Response.json({}, { status: 201 });
      rows[1] = row({ ...rows[1], revokedAt: '2026-03-02T10:00:00.000Z' });
      return new Response(null, { status: 204 });
    },
  });
  const { clock, advance } = createFakeClock();
  return { keys: createKeys({ api, now: () => NOW, live: createLiveRegion(clock) }), asked, advance };
}

describe('keyState', () => {
  it.each([
    ['active', {}],
    ['active', { expiresAt: '2026-03-02T10:00:01.000Z' }],
    ['expired', { expiresAt: '2026-03-02T10:00:00.000Z' }],
    ['revoked', { expiresAt: '2026-03-02T09:00:00.000Z', revokedAt: '2026-03-01T09:00:00.000Z' }],
  ] as const)('is %s', (state, change) => {
    expect(keyState(row(change), NOW)).toBe(state);
  });
});

describe('createKeys', () => {
  it('asks for no keys without the scope admin', async () => {
    const { keys, asked } = startKeys(['read', 'write']);
    await keys.load();
    expect(asked.map(({ route }) => route)).toEqual(['GET /api/session']);
    expect([keys.who.value?.scopes, keys.keys.value]).toEqual([['read', 'write'], null]);
  });

  it('makes a key that ends when it was said, and forgets its token once it is kept, or revoked', async () => {
    const { keys, asked, advance } = startKeys(['read', 'admin']);
    await keys.load();
    await keys.create('  made ', ['read', 'write'], 'month');
    expect(asked.find(({ route }) => route === 'POST /api/keys')!.body).toEqual({
      name: 'made',
      scopes: ['read', 'write'],
      expiresAt: '2026-04-01T10:00:00.000Z',
    });
    expect(keys.made.value).toMatchObject({ key: { token: 'the token' }, how: 'made' });
    expect(keys.keys.value?.items).toHaveLength(2);
    await keys.revoke(keys.keys.value!.items[1]!);
    await advance(200);
    expect([keys.made.value, keys.live.message.value]).toEqual([null, 'The key “made” is revoked.']);
    expect(keys.keys.value!.items.map((each) => keyState(each, NOW))).toEqual(['active', 'revoked']);
  });

  it('gives a key a new secret, shown once, beside which the one before may hold for a while', async () => {
    const { keys, asked } = startKeys(['read', 'admin']);
    await keys.load();
    await keys.create('made', ['read'], 'never');
    await keys.rotate(keys.keys.value!.items[1]!, 'day');
    expect(keys.made.value).toMatchObject({ key: { name: 'made', token: 'the next' }, how: 'rotated' });
    const rotated = asked.filter(({ route }) => route.endsWith('/rotate'));
    expect(rotated.map(({ body }) => body)).toEqual([{ overlapSeconds: 86_400 }]);
    expect(asked.some(({ route }) => route === 'POST /api/session')).toBe(false);
    keys.kept();
    expect(keys.made.value).toBeNull();
  });

  it('signs in again with the new secret of one’s own key, before anything else is asked with the old one', async () => {
    const { keys, asked } = startKeys(['read', 'admin']);
    await keys.load();
    await keys.rotate(keys.keys.value!.items[0]!, 'none');
    const from = asked.findIndex(({ route }) => route.endsWith('/rotate'));
    expect(asked.slice(from).map(({ route }) => route.split('?')[0])).toEqual([
      `POST /api/keys/${row().id}/rotate`,
      'POST /api/session',
      'GET /api/session',
      'GET /api/keys',
    ]);
    expect(asked[from + 1]!.body).toEqual({ key: 'the next' });
    expect(keys.made.value?.key.token).toBe('the next');
  });

  it('says what went wrong, and keeps what it has', async () => {
    const api = createApi({
      onSignedOut: () => {},
      fetch: async () => Response.json({ code: 'X', message: 'it broke' }, { status: 500 }),
    });
    const keys = createKeys({ api, now: () => NOW, live: createLiveRegion(createFakeClock().clock) });
    expect(await keys.load()).toBe(false);
    expect([keys.error.value, keys.busy.value]).toEqual(['it broke', false]);
  });
});
