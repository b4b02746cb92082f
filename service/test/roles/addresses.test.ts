import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { DECIDED_SETTINGS } from '../../../loadtest/src/cli/start-options.ts';
import { startService, type Service } from '../../src/supervise.ts';
import { testServers } from '../../../test/servers.ts';

const servers = testServers();
let database: Awaited<ReturnType<typeof servers.createDatabase>>;
let dataDir: string;
let service: Service | undefined;
beforeEach(async () => {
  database = await servers.createDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'segbench-addresses-'));
});
afterEach(async () => {
  await service?.stop();
  await database.drop();
  await rm(dataDir, { recursive: true, force: true });
});
const start = async (env: Record<string, string>): Promise<Service> =>
  (service = await startService({
    databaseUrl: database.url,
    queueRedisUrl: servers.queueRedisUrl,
    cacheRedisUrl: servers.cacheRedisUrl,
    dataDir,
    workers: 1,
    env: { QUEUE_PREFIX: servers.prefix(), ...env },
  }));

const HEX_LOOPBACK = '0100007F';
/** Local addresses, in the kernel's hexadecimal, on which somebody listens on the port (proc(5), `/proc/net/tcp`). */
async function listenersOn(port: number): Promise<string[]> {
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8').catch(() => '')),
  );
  const found = tables.flatMap((table) =>
    table
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(
        ([, local, , state]) =>
          state === '0A' && local?.endsWith(`:${port.toString(16).toUpperCase().padStart(4, '0')}`),
      )
      .map(([, local]) => local!.split(':')[0]!),
  );
  // A service has several sockets on its address.
  return [...new Set(found)];
}
const portsOf = ({ url, processes }: Service) =>
  [url, ...processes.map(({ metricsUrl }) => metricsUrl)].map((address) => Number(new URL(address).port));

it('the service listens on the loopback address alone, with all its ports, unless it is told otherwise', async () => {
  const started = await start({});
  for (const port of portsOf(started)) expect([port, await listenersOn(port)]).toEqual([port, [HEX_LOOPBACK]]);
});

it('HOST tells it otherwise, for its pages and not for its figures; npm start passes it on', async () => {
  expect(DECIDED_SETTINGS).not.toContain('HOST');
  const [page, ...figures] = portsOf(await start({ HOST: '0.0.0.0' }));
  expect(await listenersOn(page!)).toEqual(['00000000']);
  for (const port of figures) expect([port, await listenersOn(port)]).toEqual([port, [HEX_LOOPBACK]]);
});
