import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

it('ends with 2 and names the port where the one that was asked for is taken, before it starts anything', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'segbench-port-'));
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const data = join(folder, 'data');
  const start = spawn(process.execPath, ['loadtest/src/cli/start.ts', '--port', String(port), '--data', data]);
  let said = '';
  start.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  try {
    // else it is up, and stays
    start.stdout.on('data', () => start.kill('SIGTERM'));
    const [code] = (await once(start, 'close')) as [number];
    expect({ code, said }).toEqual({ code: 2, said: expect.stringContaining(`--port ${port} is in use`) });
    await expect(stat(data)).rejects.toThrow('ENOENT');
  } finally {
    taken.close();
    await rm(folder, { recursive: true, force: true });
  }
});
