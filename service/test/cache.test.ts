import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCache, type Cache, type CacheServer } from '../src/cache.ts';
import { createMetrics } from '../src/metrics.ts';
import { testServers } from '../../test/servers.ts';

const metrics = createMetrics('test');
let server: CacheServer;
let cache: Cache;
let loads = 0;
const at = (projectId: string) => ({ kind: 'list', projectId, key: 'k', ttlSeconds: 60 });
const load = async () => ({ n: ++loads });

beforeAll(async () => {
  const { cacheRedisUrl, prefix } = testServers();
  server = createCache({ url: cacheRedisUrl, enabled: true, metrics, prefix: prefix() });
  await server.open();
  cache = server.of('tenant');
});
afterAll(() => server.close());

describe('createCache', () => {
  it('loads once until the project is bumped, and leaves other projects alone', async () => {
    const first = await cache.wrap(at('a'), load);
    expect(await cache.wrap(at('a'), load)).toEqual(first);
    const other = await cache.wrap(at('b'), load);
    await cache.bump('a');
    expect(await cache.wrap(at('a'), load)).not.toEqual(first);
    expect(await cache.wrap(at('b'), load)).toEqual(other);
  });

  it('does not keep what was read before a bump that came while it loaded', async () => {
    const slow = await cache.wrap(at('c'), async () => {
      await cache.bump('c');
      return { n: -1 };
    });
    expect(slow).toEqual({ n: -1 });
    expect(await cache.wrap(at('c'), load)).not.toEqual(slow);
  });

  it('loads once when equal keys miss together', async () => {
    await cache.wrap(at('d'), load);
    const before = loads;
    await Promise.all([1, 2, 3].map(() => cache.wrap({ ...at('d'), key: 'together' }, load)));
    expect(loads).toBe(before + 1);
  });

  it('answers no tenant with what another has cached, though a change reaches both', async () => {
    const other = server.of('other');
    const own = await cache.wrap(at('shared'), load);
    const theirs = await other.wrap(at('shared'), load);
    expect(theirs).not.toEqual(own);
    expect([await cache.wrap(at('shared'), load), await other.wrap(at('shared'), load)]).toEqual([own, theirs]);
    await server.bump('shared');
    const after = [await cache.wrap(at('shared'), load), await other.wrap(at('shared'), load)];
    expect(after.filter((value) => value.n === own.n || value.n === theirs.n)).toEqual([]);
  });

  it('works without Redis', async () => {
    const away = createCache({ url: 'redis://127.0.0.1:1', enabled: true, metrics, prefix: 'x' });
    await away.open();
    await away.bump('a');
    expect(await away.of('tenant').wrap(at('a'), async () => 'loaded')).toBe('loaded');
    await away.close();
  });
});
