import type { Redis } from 'ioredis';
import { WINDOW_MS, admissionOf, isRoom, previousWeight, windowAt, type Admission, type Counts } from './window.ts';

/** One round trip, so that two processes cannot both take the last place. Only what is let in counts. */
const TAKE = `local current = tonumber(redis.call('GET', KEYS[1]) or '0')
local previous = tonumber(redis.call('GET', KEYS[2]) or '0')
local cost = tonumber(ARGV[4])
if current + previous * tonumber(ARGV[2]) + cost > tonumber(ARGV[1]) then return {0, current, previous} end
redis.call('SET', KEYS[1], current + cost, 'PX', ARGV[3])
return {1, current + cost, previous}`;

/** Callers that are remembered without Redis; more than that in two minutes, and the oldest are forgotten. */
const MEMORY_MAX = 100_000;

/**
 * Counts callers over all processes, in the cache's Redis. While it does not answer each process counts for itself: a limit then
 * holds for each process alone, which is more than the limit in all and less than no limit.
 */
export function createLimiter(options: {
  redis: Pick<Redis, 'eval' | 'status'>;
  prefix: string;
  enabled: boolean;
  now?: () => number;
}) {
  const { redis, prefix, enabled, now = Date.now } = options;
  const memory = new Map<string, number>();
  const nameAt = (caller: string, window: number) => `${prefix}:rate:${caller}:${window}`;

  async function takeShared(caller: string, limit: number, at: number, cost: number): Promise<Admission> {
    const window = windowAt(at);
    const [admitted, current, previous] = (await redis.eval(
      TAKE,
      2,
      nameAt(caller, window),
      nameAt(caller, window - 1),
      limit,
      previousWeight(at),
      2 * WINDOW_MS,
      cost,
    )) as [number, number, number];
    return admissionOf(admitted === 1, { current, previous }, limit, at, cost);
  }

  function takeAlone(caller: string, limit: number, at: number, cost: number): Admission {
    const window = windowAt(at);
    const name = nameAt(caller, window);
    const counts: Counts = {
      current: memory.get(name) ?? 0,
      previous: memory.get(nameAt(caller, window - 1)) ?? 0,
    };
    if (!isRoom(counts, limit, at, cost)) return admissionOf(false, counts, limit, at, cost);
    counts.current += cost;
    memory.set(name, counts.current);
    // In order of their first request, so that the first is the oldest.
    if (memory.size > MEMORY_MAX) memory.delete(memory.keys().next().value!);
    return admissionOf(true, counts, limit, at);
  }

  return {
    /** Takes `cost` of the caller's requests of this minute, or none; null where nothing is limited. Refusals cost nothing. */
    async take(caller: string, limit: number, cost = 1): Promise<Admission | null> {
      if (!enabled) return null;
      const at = now();
      if (redis.status !== 'ready') return takeAlone(caller, limit, at, cost);
      return takeShared(caller, limit, at, cost).catch(() => takeAlone(caller, limit, at, cost));
    },
  };
}
export type Limiter = ReturnType<typeof createLimiter>;
