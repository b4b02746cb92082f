import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startService } from '../../../service/src/supervise.ts';
import { testServers } from '../../../test/servers.ts';

const servers = testServers();
let folder: string;
let database: Awaited<ReturnType<typeof servers.createMigrated>>;
/** Takes connections and lets them go: an inference server that is never ready. */
const silent = createServer((socket) => socket.destroy());
let pool: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-interrupted-'));
  database = await servers.createMigrated();
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  pool = `kserve:http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
});
afterAll(async () => {
  silent.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
});

const addresses = () => ({
  databaseUrl: database.url,
  queueRedisUrl: servers.queueRedisUrl,
  cacheRedisUrl: servers.cacheRedisUrl,
});

/** Ends a command by Ctrl-C as soon as it waits for its inference server. */
async function interrupted(file: string, args: readonly string[]): Promise<{ code: number; said: string }> {
  const env = { ...process.env, TMPDIR: folder };
  const command = spawn(process.execPath, [`loadtest/src/cli/${file}`, '--pool', pool, ...args], { env });
  let said = '';
  command.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString();
    if (said.includes('is not ready')) command.kill('SIGINT');
  });
  const [code] = (await once(command, 'close')) as [number];
  return { code, said };
}

it('a worker that waits for its inference server ends with 130 on Ctrl-C', async () => {
  const { databaseUrl, queueRedisUrl, cacheRedisUrl } = addresses();
  const where = ['--database', databaseUrl, '--queue', queueRedisUrl, '--cache', cacheRedisUrl, '--storage', folder];
  const { code, said } = await interrupted('worker.ts', where);
  expect({ code, said }).toEqual({ code: 130, said: expect.not.stringContaining('was not ready after') });
});

it(
  'a calibration that waits for its inference server ends with 130 on Ctrl-C, and leaves nothing',
  { timeout: 30_000 },
  async () => {
    const { code, said } = await interrupted('calibrate.ts', ['--name', 'x', '--out', join(folder, 'x.json')]);
    expect({ code, said, left: await readdir(folder) }).toMatchObject({ code: 130, left: [] });
  },
);

it('a service that waits for its inference server is given up when it is asked to end', async () => {
  const stop = new AbortController();
  const service = startService({
    ...addresses(),
    dataDir: join(folder, 'data'),
    workers: 1,
    env: { POOL: pool, QUEUE_PREFIX: servers.prefix() },
    log: (_, line) => line.includes('is not ready') && stop.abort(new Error('asked to end')),
    signal: stop.signal,
  });
  await expect(service).rejects.toThrow('asked to end');
});
