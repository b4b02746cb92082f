import { EnvironmentError } from './errors.ts';
import type { Addresses } from './types.ts';

const SETTINGS = [
  {
    name: 'DATABASE_URL',
    protocols: ['postgres:', 'postgresql:'],
    example: 'postgres://user:password@host:5432/postgres',
  },
  { name: 'QUEUE_REDIS_URL', protocols: ['redis:', 'rediss:'], example: 'redis://:password@host:6379' },
  { name: 'CACHE_REDIS_URL', protocols: ['redis:', 'rediss:'], example: 'redis://:password@host:6380' },
] as const;

/** What an address looks like, for messages. */
export const exampleOf = (setting: string): string =>
  SETTINGS.find(({ name }) => setting.endsWith(name))?.example ?? '';

function validated(name: string, value: string, protocols: readonly string[], example: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !protocols.includes(url.protocol)) {
    const shown = url ? `${url.protocol}//…` : JSON.stringify(value);
    throw new EnvironmentError(`${name} is ${shown}; expected ${protocols.join(' or ')} like ${example}`);
  }
  return value;
}

/**
 * Addresses of running servers from `<prefix>DATABASE_URL`, `<prefix>QUEUE_REDIS_URL` and `<prefix>CACHE_REDIS_URL`.
 * `undefined` when none is set; an EnvironmentError names what is missing when some are, and what is malformed.
 */
export function externalAddresses(prefix: string, env: NodeJS.ProcessEnv = process.env): Addresses | undefined {
  const values = SETTINGS.map(({ name }) => env[prefix + name] ?? '');
  if (values.every((value) => value === '')) return undefined;
  const missing = SETTINGS.filter((_, index) => values[index] === '').map(({ name }) => prefix + name);
  if (missing.length > 0) {
    throw new EnvironmentError(
      `running servers are named only in part: set ${missing.join(' and ')} too, or none of them`,
    );
  }
  const [databaseUrl, queueRedisUrl, cacheRedisUrl] = SETTINGS.map(({ name, protocols, example }, index) =>
    validated(prefix + name, values[index] ?? '', protocols, example),
  ) as [string, string, string];
  if (queueRedisUrl === cacheRedisUrl) {
    throw new EnvironmentError(
      `${prefix}QUEUE_REDIS_URL and ${prefix}CACHE_REDIS_URL are the same; the queue needs noeviction and the cache an LRU policy, which Redis sets per server`,
    );
  }
  return { databaseUrl, queueRedisUrl, cacheRedisUrl };
}
