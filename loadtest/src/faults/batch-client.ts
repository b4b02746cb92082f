import { addressOf } from '#contract/client.ts';
import type { Batch } from '#contract/batches.ts';
import type { Image } from '#contract/images.ts';
import { createHttpClient } from '../drivers/http-client.ts';
import { uploadFiles, type UploadedImage, type UploadFile } from '../drivers/upload.ts';
import { startFollower, type Follower } from './follower.ts';
import { createRetrying, type Retry } from './retrying.ts';

const GIVE_UP_MS = 180_000;
/** Longer than the service lets a request wait for its first one under the same Idempotency-Key. */
const TRY_MS = 35_000;
const READ_TRY_MS = 5_000;

export interface BatchClientOptions {
  baseUrl: string;
  key: string;
  signal: AbortSignal;
}

/** One person's way through one project, over lines that break: every answer it got is kept, and what it had to do for it. */
export function createBatchClient({ baseUrl, key, signal }: BatchClientOptions) {
  const http = createHttpClient({ baseUrl, key, connections: 8 });
  const retries: Retry[] = [];
  const onRetry = (retry: Retry) => void retries.push(retry);
  const writes = createRetrying(http, { withinMs: GIVE_UP_MS, tryMs: TRY_MS, onRetry, signal });
  const reads = createRetrying(http, { withinMs: GIVE_UP_MS, tryMs: READ_TRY_MS, onRetry, signal });
  const json = { 'content-type': 'application/json' };
  let follower: Follower | undefined;

  /** The batch with this threshold, which no other batch of the project has. */
  async function findBatch(projectId: string, threshold: number): Promise<Batch | undefined> {
    const path = addressOf('GET /api/projects/{id}/batches', { path: { id: projectId }, query: { limit: 50 } });
    const { items } = await reads.get<{ items: Batch[] }>(path);
    return items.find((batch) => Math.abs(batch.threshold - threshold) < 1e-6);
  }

  return {
    retries,
    async createProject(name: string): Promise<string> {
      const reply = await writes.request(addressOf('POST /api/projects'), {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ name }),
      });
      if (reply.status !== 201) throw new Error(`POST /api/projects: status ${reply.status}: ${reply.body.toString()}`);
      return (JSON.parse(reply.body.toString()) as { id: string }).id;
    },
    follow(projectId: string): Follower {
      follower = startFollower({ baseUrl, key, projectId });
      return follower;
    },
    /** Every file, each request under an Idempotency-Key of its own and sent again until it is answered. */
    async upload(
      projectId: string,
      files: readonly UploadFile[],
      options: { filesPerRequest: number; concurrency: number; onProgress: (done: number) => void },
    ): Promise<UploadedImage[]> {
      const client = { ...http, request: writes.request };
      const { uploaded, rejected } = await uploadFiles({ client, projectId, files, signal, ...options });
      if (rejected[0]) throw new Error(`${rejected.length} files were rejected: ${rejected[0].message}`);
      return uploaded;
    },
    /** A POST of a batch has no Idempotency-Key: after an outcome that is not known the project's list is asked. */
    async startBatch(projectId: string, body: { threshold: number; imageIds?: string[] }): Promise<Batch> {
      const path = addressOf('POST /api/projects/{id}/batches', { path: { id: projectId } });
      const text = JSON.stringify(body.imageIds ? body : { ...body, all: true });
      for (const until = Date.now() + GIVE_UP_MS; ;) {
        const outcome = await writes.once(path, { method: 'POST', headers: json, body: text });
        if (typeof outcome !== 'string') {
          if (outcome.status === 202) return JSON.parse(outcome.body.toString()) as Batch;
          throw new Error(`POST ${path}: status ${outcome.status}: ${outcome.body.toString().slice(0, 300)}`);
        }
        onRetry({ atMs: Date.now(), what: `POST ${path}`, why: outcome });
        const found = await findBatch(projectId, body.threshold);
        if (found) return found;
        if (Date.now() > until) throw new Error(`POST ${path}: no answer in ${GIVE_UP_MS} ms, at last ${outcome}`);
      }
    },
    batch: (id: string): Promise<Batch> => reads.get<Batch>(addressOf('GET /api/batches/{id}', { path: { id } })),
    async images(projectId: string): Promise<Image[]> {
      const images: Image[] = [];
      for (let total = 1; images.length < total;) {
        const query = { limit: 500, offset: images.length };
        const path = addressOf('GET /api/projects/{id}/images', { path: { id: projectId }, query });
        const page = await reads.get<{ items: Image[]; total: number }>(path);
        images.push(...page.items);
        total = page.items.length === 0 ? 0 : page.total;
      }
      return images;
    },
    close(): void {
      follower?.close();
      http.close();
    },
  };
}
export type BatchClient = ReturnType<typeof createBatchClient>;
