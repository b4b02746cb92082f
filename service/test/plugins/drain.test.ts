import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { openSocket } from '../events/socket.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

const apps: TestApp[] = [];
const start = async (env: Record<string, string>) => {
  const service = await startTestApp(env);
  apps.push(service);
  const project = await service.call('/api/projects', { method: 'POST', json: { name: 'p' } });
  return { service, projectId: ((await project.json()) as { id: string }).id };
};
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

it('is not ready any more before it stops listening, and answers until then', async () => {
  const { service, projectId } = await start({ DRAIN_MS: '600' });
  const socket = await openSocket(service.url, { query: `projectId=${projectId}` });
  expect((await service.call('/readyz')).status).toBe(200);
  const drained = service.app.drain.begin();
  const ready = await service.call('/readyz');
  expect([ready.status, ready.headers.get('connection')]).toEqual([503, 'close']);
  expect((await service.call('/healthz')).status).toBe(200);
  const listed = await service.call('/api/projects');
  expect([listed.status, listed.headers.get('connection')]).toEqual([200, 'close']);
  await drained;
  await service.app.close();
  expect(await socket.closed).toBe(1001);
  await expect(service.call('/api/projects')).rejects.toThrow(/fetch failed/);
});

/** One request over the agent's only connection; its status, and what it says of the connection. */
const over = (agent: Agent, url: string): Promise<[number | undefined, string | undefined]> =>
  new Promise((resolve, reject) => {
    request(`${url}/healthz`, { agent }, (reply) => {
      reply.resume().on('end', () => resolve([reply.statusCode, reply.headers.connection]));
    })
      .on('error', reject)
      .end();
  });

it('keeps a connection that is idle until it stops: who still has it may send at any moment', async () => {
  const { service } = await start({ DRAIN_MS: '600' });
  const agents = Array.from({ length: 2 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const [busy, idle] = agents as [Agent, Agent];
  expect(await over(busy, service.url)).toEqual([200, 'keep-alive']);
  expect(await over(idle, service.url)).toEqual([200, 'keep-alive']);
  let ended = false;
  for (const [socket] of Object.values(idle.freeSockets) as [Socket][]) socket.on('close', () => (ended = true));
  const drained = service.app.drain.begin();
  expect(await over(busy, service.url)).toEqual([200, 'close']);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(ended).toBe(false);
  expect(await over(idle, service.url)).toEqual([200, 'close']);
  await drained;
  await service.app.close();
  for (const agent of agents) agent.destroy();
});

it('answers what is in work when it ends', async () => {
  const { service } = await start({ PLANT: 'slow-detail' });
  const asked = service.call('/api/images/00000000-0000-4000-8000-000000000001');
  await new Promise((resolve) => setTimeout(resolve, 200));
  await Promise.all([service.app.close(), asked.then(({ status }) => expect(status).toBe(404))]);
});
