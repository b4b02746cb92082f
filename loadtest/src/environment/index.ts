import { resolve } from 'node:path';
import { EnvironmentError } from './errors.ts';
import { startExternal } from './external-environment.ts';
import { startKeeper } from './keeper-client.ts';
import type { Environment, EnvironmentOptions } from './types.ts';

export { EnvironmentError } from './errors.ts';
export { ENVIRONMENT_KINDS } from './types.ts';
export type * from './types.ts';

async function startEmbedded({ dataDir, log, signal }: EnvironmentOptions): Promise<Environment> {
  const keeper = await startKeeper({ servers: 'embedded', dataDir: dataDir && resolve(dataDir), log, signal });
  const { databaseUrl, queueRedisUrl, cacheRedisUrl, ...started } = keeper.started;
  if (!databaseUrl || !queueRedisUrl || !cacheRedisUrl) throw new Error('the keeper started no servers');
  const { env, died, watchGroup, control, stop } = keeper;
  const addresses = { databaseUrl, queueRedisUrl, cacheRedisUrl };
  return { kind: 'embedded', ...addresses, ...started, env, died, watchGroup, control, stop };
}

/**
 * Brings up PostgreSQL, two Redis, a temporary folder and the watchdog that removes all of it when this process is gone.
 * Rejects with an EnvironmentError that says what to install or set; nothing is left behind then.
 */
export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  switch (options.kind) {
    case 'auto':
    case 'embedded':
      return await startEmbedded(options);
    case 'external':
      return await startExternal(options);
    case 'testcontainers':
      throw new EnvironmentError(
        'the environment "testcontainers" is not available yet: use embedded (needs no Docker) or external (running servers)',
      );
  }
}
