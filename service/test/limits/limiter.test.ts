import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLimiter } from '../../src/limits/limiter.ts';
import { WINDOW_MS } from '../../src/limits/window.ts';
import { testServers } from '../../../test/servers.ts';

const { cacheRedisUrl, prefix } = testServers();
let redis: Redis;
beforeAll(async () => {
  redis = new Redis(cacheRedisUrl, { lazyConnect: true });
  await redis.connect();
});
afterAll(() => redis.disconnect());

/** Several processes with one clock; without `shared`, none of them reaches Redis. */
function processes(count: number, { shared = true, name = prefix() } = {}) {
  let time = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS;
  const away = { status: 'reconnecting' as const, eval: async () => Promise.reject(new Error('away')) };
  const limiters = Array.from({ length: count }, () =>
    createLimiter({ redis: shared ? redis : away, prefix: name, enabled: true, now: () => time }),
  );
  /** `times` requests, spread over the processes; how many were let in. */
  const admitted = async (times: number, limit: number, caller = 'someone') => {
    const taken = await Promise.all(Array.from({ length: times }, (_, i) => limiters[i % count]!.take(caller, limit)));
    return taken.filter((admission) => admission?.admitted).length;
  };
  return { admitted, pass: (ms: number) => (time += ms), limiters };
}

describe.each([
  ['in Redis', true],
  ['in memory, where Redis does not answer', false],
])('createLimiter, %s', (_, shared) => {
  it('lets in as many as the limit says, then a share of them as the minute passes', async () => {
    const { admitted, pass } = processes(1, { shared });
    expect(await admitted(30, 10)).toBe(10);
    pass(WINDOW_MS / 2);
    expect(await admitted(30, 10)).toBe(0);
    pass(WINDOW_MS / 2);
    expect(await admitted(30, 10)).toBe(0);
    pass(WINDOW_MS / 2);
    expect(await admitted(30, 10)).toBe(5);
    pass(2 * WINDOW_MS);
    expect(await admitted(30, 10)).toBe(10);
  });

  it('counts callers apart, and takes all of a cost or nothing', async () => {
    const { admitted, limiters } = processes(1, { shared });
    expect(await admitted(4, 3, 'a')).toBe(3);
    expect(await admitted(1, 3, 'b')).toBe(1);
    const [limiter] = limiters;
    expect(await limiter!.take('b', 3, 3)).toMatchObject({ admitted: false, remaining: 2 });
    expect(await limiter!.take('b', 3, 2)).toMatchObject({ admitted: true, remaining: 0 });
  });
});

describe('createLimiter', () => {
  it('counts over all processes in Redis, and for each alone without it', async () => {
    expect(await processes(2).admitted(60, 20)).toBe(20);
    expect(await processes(2, { shared: false }).admitted(60, 20)).toBe(40);
  });

  it('goes on in memory when a command fails, and limits nothing where it is off', async () => {
    const failing = { status: 'ready' as const, eval: async () => Promise.reject(new Error('timed out')) };
    const limiter = createLimiter({ redis: failing, prefix: prefix(), enabled: true, now: () => 0 });
    expect(await limiter.take('a', 1)).toMatchObject({ admitted: true });
    expect(await limiter.take('a', 1)).toMatchObject({ admitted: false });
    const off = createLimiter({ redis, prefix: prefix(), enabled: false });
    expect(await off.take('a', 1)).toBeNull();
  });

  it('leaves keys in Redis that end by themselves', async () => {
    const name = prefix();
    await processes(1, { name }).admitted(3, 2);
    const [key, ...others] = await redis.keys(`${name}:rate:*`);
    expect(others).toEqual([]);
    expect(await redis.pttl(key!)).toBeGreaterThan(0);
  });
});
