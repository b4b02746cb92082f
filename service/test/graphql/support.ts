import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import type { GraphqlReply } from '#contract/graphql.ts';
import type { Project } from '#contract/images.ts';
import { TEST_KEY, type TestApp } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';

type Init = Parameters<TestApp['call']>[1];
export interface Answer extends GraphqlReply {
  status: number;
  headers: Headers;
  code?: string;
  message?: string;
  /** Codes of the errors, in order. */
  codes: string[];
}

export async function post(service: TestApp, json: unknown, init: Init = {}): Promise<Answer> {
  const reply = await service.call('/graphql', { method: 'POST', json, ...init });
  const body = (await reply.json()) as GraphqlReply;
  const codes = (body.errors ?? []).map(({ extensions }) => extensions.code);
  return { status: reply.status, headers: reply.headers, ...body, codes };
}
export const ask = (service: TestApp, query: string, variables: Record<string, unknown> = {}, init: Init = {}) =>
  post(service, { query, variables }, init);

export async function newProject(service: TestApp, name = 'plate 7'): Promise<Project> {
  return (await (await service.call('/api/projects', { method: 'POST', json: { name } })).json()) as Project;
}
/** Images with `counts[i]` cells, null for one that failed, of a batch that has ended. */
export async function newScene(service: TestApp, counts: readonly (number | null)[]) {
  const project = await newProject(service);
  const images = await uploadPictures(service, project.id, counts.length);
  const batchId = await finishBatch(service, project.id, images, counts);
  await service.sql`update batch_items set finished_at = now() where finished_at is null`;
  await service.sql`update batches set finished_at = now(), started_at = now() where id = ${batchId}`;
  return { project, images, batchId };
}
export async function newKey(service: TestApp, scopes: string[]): Promise<{ id: string; token: string }> {
  const reply = await service.call('/api/keys', { method: 'POST', json: { name: `only ${scopes.join()}`, scopes } });
  return (await reply.json()) as { id: string; token: string };
}

export const socketUrl = ({ url }: TestApp): string => `${url.replace('http', 'ws')}/graphql`;
/** The protocol's own client, with the key in the handshake as only programs can send it. */
export function subscriber(service: TestApp, key: string = TEST_KEY): Client {
  class WithKey extends WebSocket {
    constructor(url: string, protocol: string) {
      super(url, protocol, { headers: { authorization: `Bearer ${key}` } });
    }
  }
  return createClient({ url: socketUrl(service), webSocketImpl: WithKey, retryAttempts: 0, lazy: true });
}
