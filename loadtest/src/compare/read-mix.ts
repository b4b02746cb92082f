import { addressOf } from '#contract/client.ts';
import type { HttpClient } from '../drivers/http-client.ts';

export interface Reads {
  latenciesMs: number[];
  /** As they went over the wire, compressed. */
  bytes: number;
}

const LISTS = 8;
const DETAILS = 40;
const RESULTS = 2;

/**
 * What a page asks after a batch: pages of the list, single images, all results twice; one after the other, workers idle. The same
 * requests on both sides, so that their bytes can be compared.
 */
export async function readMix(
  client: HttpClient,
  { projectId, imageIds, signal }: { projectId: string; imageIds: readonly string[]; signal: AbortSignal },
): Promise<Reads> {
  const latenciesMs: number[] = [];
  let bytes = 0;
  const ask = async (path: string, body?: unknown): Promise<void> => {
    const reply = await client.request(path, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'accept-encoding': 'gzip', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal,
    });
    if (reply.status !== 200)
      throw new Error(`${path}: status ${reply.status}: ${reply.body.toString().slice(0, 200)}`);
    latenciesMs.push(reply.durationMs);
    bytes += reply.body.length;
  };
  for (let at = 0; at < LISTS; at++)
    await ask(addressOf('GET /api/projects/{id}/images', { path: { id: projectId }, query: { limit: 50 } }));
  for (let at = 0; at < DETAILS; at++)
    await ask(addressOf('GET /api/images/{id}', { path: { id: imageIds[at % imageIds.length] ?? '' } }));
  for (let at = 0; at < RESULTS; at++)
    await ask(addressOf('POST /api/segmentation/batch/results'), { imageIds: imageIds.slice(0, 1000) });
  return { latenciesMs, bytes };
}
