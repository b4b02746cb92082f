import { Redis } from 'ioredis';
import postgres from 'postgres';

const WAIT_SECONDS = 5;

/** Does some work on a connection of its own; rejects after 5 s without one. */
export async function withDatabase<T>(url: string, work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, connect_timeout: WAIT_SECONDS, onnotice: () => {} });
  try {
    return await work(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

export async function withRedis<T>(url: string, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, connectTimeout: WAIT_SECONDS * 1000 });
  let cause: unknown;
  redis.on('error', (error) => (cause = error));
  try {
    await redis.connect().catch((error: unknown) => {
      // It rejects with "Connection is closed." alone; why, only the event says.
      throw cause ?? error;
    });
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}

export async function postgresVersion(url: string): Promise<string> {
  return await withDatabase(url, async (sql) => {
    const [row] = await sql<{ version: string }[]>`select current_setting('server_version') as version`;
    return row?.version ?? 'unknown';
  });
}

export async function redisFacts(url: string): Promise<{ version: string; policy: string }> {
  return await withRedis(url, async (redis) => {
    const info = await redis.info();
    const field = (name: string) => info.match(new RegExp(`^${name}:(.*)$`, 'm'))?.[1]?.trim() ?? '';
    return { version: field('redis_version'), policy: field('maxmemory_policy') };
  });
}
