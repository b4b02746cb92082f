import { addressOf } from '#contract/client.ts';
import type { ServerFrame } from '#contract/events.ts';
import { decodeIndex } from '#contract/index-format.ts';
import { IMAGE_STATUSES, type ImageStatus } from '#contract/names.ts';
import { createHttpClient, type HttpClient } from '../drivers/http-client.ts';
import { parallel } from '../drivers/parallel.ts';
import { uploadFiles } from '../drivers/upload.ts';
import { startFollower, type Follower } from '../faults/follower.ts';
import { isEnd, type Target, type TargetConfig, type TargetResult, type TargetStatus } from './target.ts';

/** A batch takes so many ids. */
const IDS_PER_BATCH = 10_000;
const TIMELINES_AT_ONCE = 4;

const statusOf = (status: ImageStatus): Exclude<TargetStatus, 'unknown'> =>
  status === 'cancelled' ? 'failed' : status;

/** A running segbench by its public interface: HTTP, and a socket that goes on with `epoch` and `since` where it was. */
export function createOurTarget(given: { url: string; key: string; name?: string; workers?: number }): Target {
  const { url, key, name = 'segbench', workers } = given;
  const http = createHttpClient({ baseUrl: url, key, connections: 8 });
  let config: TargetConfig;
  let projectId = '';
  let follower: Follower | undefined;

  return {
    async open(opened) {
      config = opened;
      const project = await http.call('POST /api/projects', {
        body: { name: `delivery proof ${new Date().toISOString()}` },
      });
      projectId = project.id;
      return { name, address: url, ...(workers ? { workers } : {}) };
    },
    async upload(files) {
      const sent = { client: http, projectId, files, filesPerRequest: files.length, concurrency: 1 };
      const { uploaded, rejected } = await uploadFiles({ ...sent, signal: config.signal });
      return [
        ...uploaded.map(({ image, file }) => ({ name: file.name, imageId: image.id })),
        ...rejected.map((one) => ({ name: one.name, rejected: `${one.code}: ${one.message}` })),
      ];
    },
    async start(imageIds, { threshold }) {
      for (let from = 0; from < imageIds.length; from += IDS_PER_BATCH)
        await http.call('POST /api/projects/{id}/batches', {
          path: { id: projectId },
          body: { imageIds: imageIds.slice(from, from + IDS_PER_BATCH), threshold },
        });
    },
    async results(imageIds) {
      const [statuses, { results }] = await Promise.all([
        readStatuses(http, projectId),
        http.call('POST /api/segmentation/batch/results', {
          body: { imageIds: [...imageIds], fields: ['imageId', 'polygonCount'] },
        }),
      ]);
      const states = imageIds.map((imageId): TargetResult => {
        const result = results[imageId] ?? null;
        return { imageId, status: statuses.get(imageId) ?? 'unknown', result: result !== null };
      });
      await parallel(states, TIMELINES_AT_ONCE, async (state) => {
        if (isEnd(state.status)) Object.assign(state, await readStages(http, state.imageId));
      });
      return states;
    },
    async events(handler) {
      const standing = Promise.withResolvers<void>();
      const onFrame = (frame: ServerFrame): void => {
        if (frame.type === 'hello') standing.resolve();
        if (frame.type === 'snapshot') config.log('segbench could not replay what was missed: numbers are skipped');
        if (frame.type !== 'events') return;
        const connection = follower?.connections() ?? 1;
        for (const { imageId, status, seq, code } of frame.events)
          handler({
            imageId,
            status: statusOf(status),
            sequence: seq,
            stream: frame.epoch,
            connection,
            ...(code ? { code } : {}),
          });
      };
      follower = startFollower({ baseUrl: await config.through(url), key, projectId, onFrame });
      await standing.promise;
    },
    close() {
      follower?.close();
      http.close();
      return Promise.resolve();
    },
  };
}

async function readStatuses(http: HttpClient, projectId: string): Promise<Map<string, TargetStatus>> {
  const path = addressOf('GET /api/projects/{id}/index', { path: { id: projectId } });
  const reply = await http.request(path);
  if (reply.status !== 200)
    throw new Error(`GET ${path}: status ${reply.status}: ${reply.body.toString().slice(0, 300)}`);
  const { ids, statuses, count } = decodeIndex(reply.body);
  const hex = Buffer.from(ids).toString('hex');
  return new Map(
    Array.from({ length: count }, (_, at) => {
      const id = hex.slice(at * 32, at * 32 + 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
      return [id, statusOf(IMAGE_STATUSES[statuses[at] ?? 0] ?? 'uploaded')] as const;
    }),
  );
}

/** What the service recorded of an image's way through its latest batch, the upload before it included. */
async function readStages(http: HttpClient, id: string): Promise<Pick<TargetResult, 'stages' | 'endedAt'>> {
  const { batches, stages: all } = await http.call('GET /api/images/{id}/timeline', { path: { id } });
  const latest = batches.at(-1);
  const stages: Record<string, number> = {};
  for (const { stage, durationMs, batchId } of all)
    if (batchId === null || batchId === latest?.batchId) stages[stage] = (stages[stage] ?? 0) + durationMs;
  const ended = latest?.finishedAt ? { endedAt: Date.parse(latest.finishedAt) } : {};
  return { stages, ...ended };
}
