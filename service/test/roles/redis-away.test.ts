import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { startWorker } from '../../src/roles/worker.ts';
import { fakeBackend, until } from '../batches/fixture.ts';
import { startPath } from './path.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  vi.restoreAllMocks();
});

it('a worker says once that the Redis of its queue does not answer, and once that it does again', async () => {
  const said: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  const path = await startPath({ LOG_LEVEL: 'warn' });
  closers.push(() => path.close());
  const { config } = path.server.app;
  const target = new URL(config.queueRedisUrl);
  const sockets = new Set<Socket>();
  const way = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) sockets.add(socket.on('error', () => {}));
    near.pipe(far).pipe(near);
  });
  await once(way.listen(0, '127.0.0.1'), 'listening');
  const { port } = way.address() as AddressInfo;
  await new Promise((resolve) => way.close(resolve));
  closers.push(async () => {
    way.close();
    for (const socket of sockets) socket.destroy();
  });
  const queueRedisUrl = Object.assign(new URL(target), { port: String(port) }).href;
  const worker = await startWorker({ ...config, role: 'worker', queueRedisUrl }, fakeBackend().backend);
  closers.push(() => worker.close());
  const lines = () => said.filter((line) => line.includes("the queue's Redis"));
  await until(() => lines().length > 0);
  await once(way.listen(port, '127.0.0.1'), 'listening');
  await until(() => lines().some((line) => line.includes('answers again')));
  expect(lines()).toEqual([
    `warn worker: the queue's Redis does not answer: connect ECONNREFUSED 127.0.0.1:${port}\n`,
    "warn worker: the queue's Redis answers again\n",
  ]);
});
