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

const entryOf = (owner: string, { kind, key }: CacheKey) => `${owner}:${kind}:${key}`;

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

  /** A version is the project's, whoever changed it; the entries under it are a tenant's own. */
  function of(owner: string) {
    return {
      redis,
      bump,
      wrap: <T>(at: CacheKey, load: () => Promise<T>) => wrap(owner, at, load),
    };
  }
  async function bump(projectId: string): Promise<void> {
    try {
      await redis.set(versionKey(projectId), randomUUID(), 'EX', VERSION_TTL_SECONDS);
      unbumped.delete(projectId);
    } catch {
      unbumped.add(projectId);
    }
  }

  async function read(owner: string, at: CacheKey): Promise<{ version: string | null; entry: string | null }> {
    if (!options.enabled || !ready() || unbumped.has(at.projectId)) return { version: null, entry: null };
    try {
      const [version, entry] = (await redis.eval(READ, 1, versionKey(at.projectId), entryOf(owner, at))) as [
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

  /** The cached value, or what `load` gives (JSON values only). Equal keys that miss at the same time load once. */
  async function wrap<T>(owner: string, at: CacheKey, load: () => Promise<T>): Promise<T> {
    const { version, entry } = await read(owner, at);
    if (entry !== null) {
      metrics?.cacheHit(at.kind);
      return JSON.parse(entry) as T;
    }
    metrics?.cacheMiss(at.kind);
    if (version === null) return load();
    const full = `${versionKey(at.projectId)}:${version}:${entryOf(owner, at)}`;
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
  }

  return {
    redis,
    ready,
    /** Of a tenant: what one has cached, no other is ever answered with. */
    of,
    async open(): Promise<void> {
      await redis.connect().catch(() => {});
    },
    /** Call after the commit and before the reply, so that who changed something reads the change. */
    bump,
    async close(): Promise<void> {
      if (redis.status === 'ready') await redis.quit().catch(() => {});
      redis.disconnect();
    },
  };
}
export type CacheServer = ReturnType<typeof createCache>;
/** What a tenant has of it. */
export type Cache = ReturnType<CacheServer['of']>;
