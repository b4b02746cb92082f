import { expect } from 'vitest';
import { WebSocket } from 'ws';
import { sequenceOnce } from '../../src/events/sequencer.ts';
import { until } from '../batches/fixture.ts';
import { TEST_KEY, type TestApp } from '../support/app.ts';
import { uploadPictures } from '../support/results.ts';
import { newProject, socketUrl } from './support.ts';

export interface Message {
  id?: string;
  type: string;
  payload?: unknown;
}
interface Options {
  key?: string | null;
  headers?: Record<string, string>;
  protocol?: string | undefined;
  init?: boolean;
  at?: TestApp;
}
export const PROGRESS =
  'subscription ($id: String!) { segmentationProgress(taskId: $id) { taskId status percentage counts { queued } } }';
export const UNKNOWN = '01980000-0000-7000-8000-0000000000ff';
export const progressOf = ({ payload }: Message) =>
  (payload as { data: { segmentationProgress: { status: string; percentage: number } } }).data.segmentationProgress;

/** What tests of sockets do, on the service that `app` gives. */
export function socketKit(app: () => TestApp) {
  /** A socket that speaks the protocol by hand, so that it can break it. Rejects with the status of a refused upgrade. */
  async function open({ key = TEST_KEY, headers = {}, init = true, at = app(), ...rest }: Options = {}) {
    const protocol = 'protocol' in rest ? rest.protocol : 'graphql-transport-ws';
    const all = { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...headers };
    const socket = new WebSocket(socketUrl(at), protocol, { headers: all });
    const messages: Message[] = [];
    const closed = new Promise<{ code: number; reason: string }>((resolve) =>
      socket.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
    );
    socket.on('message', (data: Buffer) => messages.push(JSON.parse(data.toString()) as Message));
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('unexpected-response', (_, response) => reject(new Error(`HTTP ${response.statusCode}`)));
      socket.once('error', reject);
    });
    socket.on('error', () => {});
    const send = (message: Message) => socket.send(JSON.stringify(message));
    if (init) {
      send({ type: 'connection_init' });
      await until(() => messages.some(({ type }) => type === 'connection_ack'));
    }
    const of = (id: string) => messages.filter((message) => message.id === id);
    return {
      socket,
      messages,
      closed,
      send,
      of,
      begin: (id: string, query: string, variables?: object) =>
        send({ id, type: 'subscribe', payload: { query, variables } }),
      async close() {
        socket.close();
        await closed;
      },
    };
  }

  async function newBatch(count = 2, at = app()) {
    const project = await newProject(at);
    await uploadPictures(at, project.id, count);
    const reply = await at.call(`/api/projects/${project.id}/batches`, { method: 'POST', json: { all: true } });
    return { project, id: ((await reply.json()) as { id: string }).id };
  }
  const verb = async (id: string, name: string) =>
    expect((await app().call(`/api/batches/${id}/${name}`, { method: 'POST' })).status).toBe(202);
  /** What the relay would do: committed events become frames. */
  const publish = async () => {
    while (await sequenceOnce(app().sql));
  };
  const listeners = async () => app().app.events.clients();
  return { open, newBatch, verb, publish, listeners };
}
