import type { Redis } from 'ioredis';

/** A name is noted at most this often: the order of use need not be finer. */
const NOTE_MS = 10_000;
const NOTED_MAX = 50_000;
/** Members a command, so that none holds Redis for long. */
const CHUNK = 1000;

function* chunks<T>(all: readonly T[]): Generator<T[]> {
  for (let at = 0; at < all.length; at += CHUNK) yield all.slice(at, at + CHUNK);
}

/**
 * Which drawn pictures there are and when each was last used, by any process: a sorted set in the cache's Redis. Lost or out of
 * reach, the times of the files say it less finely.
 */
export function createPictureIndex({
  redis,
  prefix,
  now = Date.now,
}: {
  redis: Pick<Redis, 'status' | 'zadd' | 'zmscore' | 'zrem' | 'zcard' | 'del'>;
  prefix: string;
  now?: () => number;
}) {
  const key = `${prefix}:pictures`;
  const noted = new Map<string, number>();
  const isUp = () => redis.status === 'ready';

  return {
    key,
    /** Returns at once; who waits for a picture need not wait for this. */
    use(name: string): void {
      const at = now();
      if (!isUp() || at - (noted.get(name) ?? -Infinity) < NOTE_MS) return;
      if (noted.size >= NOTED_MAX) noted.clear();
      noted.set(name, at);
      redis.zadd(key, 'GT', at, name).catch(() => noted.delete(name));
    },
    async lastUses(names: readonly string[]): Promise<Map<string, number>> {
      const uses = new Map<string, number>();
      if (!isUp()) return uses;
      for (const part of chunks(names)) {
        const scores = await redis.zmscore(key, ...part).catch(() => []);
        for (const [at, score] of scores.entries()) if (score !== null) uses.set(part[at]!, Number(score));
      }
      return uses;
    },
    async forget(names: readonly string[]): Promise<void> {
      if (!isUp()) return;
      for (const part of chunks(names)) await redis.zrem(key, ...part).catch(() => 0);
    },
    /** Files also go with their image: an index much longer than the folder is begun anew. */
    async shrink(files: number): Promise<void> {
      if (!isUp()) return;
      const length = await redis.zcard(key).catch(() => 0);
      if (length > 2 * files + CHUNK) await redis.del(key).catch(() => 0);
    },
  };
}
export type PictureIndex = ReturnType<typeof createPictureIndex>;
