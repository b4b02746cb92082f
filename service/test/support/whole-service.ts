import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testServers } from '../../../test/servers.ts';
import { startService, type Service } from '../../src/supervise.ts';

export interface WholeService extends Service {
  /** Of this test alone; the service keeps its files in one below it. */
  folder: string;
  /** Stops it and removes what it had. */
  close(): Promise<void>;
}

/** All roles in processes of their own, one worker with real inference, on a database and a folder of their own. */
export async function startWholeService(env: Record<string, string> = {}): Promise<WholeService> {
  const servers = testServers();
  const database = await servers.createMigrated();
  const folder = await mkdtemp(join(tmpdir(), 'segbench-whole-'));
  const remove = async (): Promise<void> => {
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  };
  const service = await startService({
    databaseUrl: database.url,
    queueRedisUrl: servers.queueRedisUrl,
    cacheRedisUrl: servers.cacheRedisUrl,
    dataDir: join(folder, 'files'),
    workers: 1,
    env: { QUEUE_PREFIX: servers.prefix(), ...env },
  }).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  return {
    ...service,
    folder,
    async close() {
      await service.stop();
      await remove();
    },
  };
}
