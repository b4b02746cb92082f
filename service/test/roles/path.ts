import { expect } from 'vitest';
import type { Batch } from '../../src/contract/batches.ts';
import { isTerminal } from '../../src/contract/common.ts';
import { startRelay } from '../../src/roles/relay.ts';
import type { RoleHandle } from '../../src/roles/role.ts';
import { startWorker } from '../../src/roles/worker.ts';
import type { InferenceBackend } from '../../src/inference/pool/backend.ts';
import { until } from '../batches/fixture.ts';
import type { Reader } from '../events/socket.ts';
import { startTestApp } from '../support/app.ts';

/** The whole path but for the model: API, relay and worker in this process, on real PostgreSQL and Redis. */
export async function startPath(env: Record<string, string> = {}) {
  const server = await startTestApp({ LEASE_MS: '1500', EVENT_WINDOW_MS: '50', QUEUE_WINDOW: '100', ...env });
  const roles: RoleHandle[] = [];
  const keep = (role: RoleHandle) => {
    roles.push(role);
    return role;
  };
  const get = async (id: string) => (await (await server.call(`/api/batches/${id}`)).json()) as Batch;
  const post = async (path: string, json?: object) => {
    const reply = await server.call(path, { method: 'POST', ...(json === undefined ? {} : { json }) });
    expect(reply.status).toBe(202);
    return (await reply.json()) as Batch;
  };
  return {
    server,
    sql: server.sql,
    relay: async () => keep(await startRelay({ ...server.app.config, role: 'relay' })),
    worker: async (backend?: InferenceBackend) =>
      keep(await startWorker({ ...server.app.config, role: 'worker' }, backend)),
    /** Ends one role before the test does. */
    async end(role: RoleHandle) {
      roles.splice(roles.indexOf(role), 1);
      await role.close();
    },
    get,
    post,
    start: (projectId: string, body: object = { all: true }) => post(`/api/projects/${projectId}/batches`, body),
    ended: (id: string) => until(async () => (await get(id)).finishedAt !== null, 100),
    async close() {
      for (const role of roles.reverse()) await role.close();
      await server.close();
    },
  };
}
export type Path = Awaited<ReturnType<typeof startPath>>;

export const finalState = (reader: Reader, id: string) =>
  reader
    .eventFrames()
    .flatMap((frame) => frame.batches)
    .findLast((state) => state.id === id);
/** Waits until the reader was told that a batch is over. */
export const follow = (reader: Reader, id: string) =>
  until(() => ['completed', 'cancelled'].includes(finalState(reader, id)?.status ?? ''));
export const ends = (reader: Reader, batchId: string) =>
  reader.events().filter((event) => event.batchId === batchId && isTerminal(event.status));
