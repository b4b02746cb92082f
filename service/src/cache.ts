import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import type { Metrics } from './metrics.ts';

export interface CacheKey {
  /** Names the cache in `segbench_cache_requests_total{cache}`: list, image, project, … */
  kind: string;
  /** Whose version the entry belongs to; `'*'` for what belongs to no project. */
  projectId: string;
  key: string;
  /** Where it shall differ from the cache's own. */
  ttlSeconds?: number;
}

/**
 * Reads the project's version and the entry under it in one round trip. Returns [version or false, entry or false].
 * An entry is only valid under the version that was current before its rows were read.
 */
const READ = `local v = redis.call('GET', KEYS[1])
if not v then return {false, false} end
return {v, redis.call('GET', KEYS[1] .. ':' .. v .. ':' .. ARGV[1])}`;

/** Versions outlive every entry under them; a lost one (LRU) only empties the cache, because versions are never reused. */
const VERSION_TTL_SECONDS = 86_400;

/**
 * Cache in Redis, with one version key a project: `bump` makes every entry of the project unreachable at once. Without Redis
 * everything works, only slower. Several processes share it.
 */
export function createCache(options: {
  url: string;
  enabled: boolean;
  metrics?: Metrics;
  prefix: string;
  ttlSeconds?: number;
}) {
  const { metrics, prefix, ttlSeconds = 60 } = options;
  const redis = new Redis(options.url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2000,
    commandTimeout: 500,
    retryStrategy: (attempt) => Math.min(2000, 100 * attempt),
  });
  // Without a listener ioredis prints each failed attempt; the state is seen in `ready()`.
  redis.on('error', () => {});
  /** Bumps that did not reach Redis: entries of these projects must not be believed when it comes back. */
  const unbumped = new Set<string>();
  redis.on('ready', () => {
    for (const projectId of unbumped) void bump(projectId);
  });
  const loads = new Map<string, Promise<unknown>>();
  /** One of the project, in whatever case its id was written. */
  const versionKey = (projectId: string) => `${prefix}:v:${projectId.toLowerCase()}`;
  const ready = () => redis.status === 'ready';

  async function bump(projectId: string): Promise<void> {
    try {
      await redis.set(versionKey(projectId), randomUUID(), 'EX', VERSION_TTL_SECONDS);
      unbumped.delete(projectId);
    } catch {
      unbumped.add(projectId);
    }
  }

  async function read(at: CacheKey): Promise<{ version: string | null; entry: string | null }> {
    if (!options.enabled || !ready() || unbumped.has(at.projectId)) return { version: null, entry: null };
    try {
      const [version, entry] = (await redis.eval(READ, 1, versionKey(at.projectId), `${at.kind}:${at.key}`)) as [
        string | null,
        string | null,
      ];
      if (version) return { version, entry };
      const fresh = randomUUID();
      const set = await redis.set(versionKey(at.projectId), fresh, 'EX', VERSION_TTL_SECONDS, 'NX');
      return { version: set === 'OK' ? fresh : null, entry: null };
    } catch {
      return { version: null, entry: null };
    }
  }

  return {
    redis,
    ready,
    async open(): Promise<void> {
      await redis.connect().catch(() => {});
    },
    /** Call after the commit and before the reply, so that who changed something reads the change. */
    bump,
    /** The cached value, or what `load` gives (JSON values only). Equal keys that miss at the same time load once. */
    async wrap<T>(at: CacheKey, load: () => Promise<T>): Promise<T> {
      const { version, entry } = await read(at);
      if (entry !== null) {
        metrics?.cacheHit(at.kind);
        return JSON.parse(entry) as T;
      }
      metrics?.cacheMiss(at.kind);
      if (version === null) return load();
      const full = `${versionKey(at.projectId)}:${version}:${at.kind}:${at.key}`;
      const running = loads.get(full);
      if (running) return running as Promise<T>;
      const loading = load()
        .then(async (value) => {
          await redis.set(full, JSON.stringify(value), 'EX', at.ttlSeconds ?? ttlSeconds).catch(() => null);
          return value;
        })
        .finally(() => loads.delete(full));
      loads.set(full, loading);
      return loading;
    },
    async close(): Promise<void> {
      if (redis.status === 'ready') await redis.quit().catch(() => {});
      redis.disconnect();
    },
  };
}
export type Cache = ReturnType<typeof createCache>;
