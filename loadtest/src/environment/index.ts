import { resolve } from 'node:path';
import { EnvironmentError } from './errors.ts';
import { startExternal } from './external-environment.ts';
import { startKeeper } from './keeper-client.ts';
import type { Environment, EnvironmentOptions } from './types.ts';

export { EnvironmentError } from './errors.ts';
export { ENVIRONMENT_KINDS } from './types.ts';
export type * from './types.ts';

async function startOwn(
  servers: 'auto' | 'embedded' | 'testcontainers',
  { dataDir, log, signal }: EnvironmentOptions,
): Promise<Environment> {
  const keeper = await startKeeper({ servers, dataDir: dataDir && resolve(dataDir), log, signal });
  const { kind, databaseUrl, queueRedisUrl, cacheRedisUrl, ...started } = keeper.started;
  if (kind === 'none' || !databaseUrl || !queueRedisUrl || !cacheRedisUrl)
    throw new Error('the keeper started no servers');
  const { env, died, watchGroup, control, stop } = keeper;
  const addresses = { databaseUrl, queueRedisUrl, cacheRedisUrl };
  return {
    kind,
    ...addresses,
    ...started,
    env,
    died,
    watchGroup,
    ...(kind === 'embedded' ? { control } : {}),
    stop,
  };
}

/**
 * Brings up PostgreSQL, two Redis, a temporary folder and the watchdog that removes all of it when this process is gone.
 * Rejects with an EnvironmentError that says what to install or set; nothing is left behind then.
 */
export async function startEnvironment(options: EnvironmentOptions): Promise<Environment> {
  switch (options.kind) {
    case 'auto':
    case 'embedded':
      return await startOwn(options.kind, options);
    case 'testcontainers':
      if (options.dataDir)
        throw new EnvironmentError('the environment "testcontainers" keeps no data: use embedded for a data folder');
      return await startOwn('testcontainers', options);
    case 'external':
      return await startExternal(options);
  }
}
