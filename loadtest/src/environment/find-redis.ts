import { EnvironmentError } from './errors.ts';
import { onPath } from './processes.ts';
import { dockerRedis } from './redis-docker.ts';
import { redisVersion, type FindOptions, type RedisProgram } from './redis-program.ts';
import { unpackedRedis } from './redis-unpack.ts';

export const INSTALL_REDIS =
  'install Redis (Debian, Ubuntu: apt-get install redis-server; Fedora: dnf install redis; macOS: brew install redis) or start Docker';

async function redisOnPath({ env }: FindOptions): Promise<RedisProgram | string> {
  const command = onPath('redis-server', env);
  if (!command) return 'no redis-server on PATH';
  const version = await redisVersion(command, env);
  if (!version) return `${command} --version fails`;
  return { source: 'path', version, command, env: {}, args: () => ['-'], native: true };
}

/**
 * A redis-server from PATH; else from the distribution's own packages, unpacked privately; else from Docker.
 * Throws an EnvironmentError that tells what each way lacked.
 */
export async function findRedis(options: FindOptions): Promise<RedisProgram> {
  const reasons: string[] = [];
  for (const way of [redisOnPath, unpackedRedis, dockerRedis]) {
    const found = await way(options);
    if (typeof found !== 'string') return found;
    reasons.push(found);
  }
  throw new EnvironmentError(`no Redis: ${reasons.join('; ')}. What helps: ${INSTALL_REDIS}`);
}
