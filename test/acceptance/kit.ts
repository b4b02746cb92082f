import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { addressOf } from '#contract/client.ts';
import type { UploadReply } from '#contract/images.ts';
import { createHttpClient, type HttpClient } from '../../loadtest/src/drivers/http-client.ts';
import type { FrameLog } from '../../loadtest/src/drivers/ledger-socket.ts';
import { multipartBody } from '../../loadtest/src/drivers/upload.ts';

/** Steps of an acceptance script, told as they end; `close` gives the exit code: 0 all passed, 1 one failed. */
export function createSteps() {
  const outcomes: { name: string; failed: boolean }[] = [];
  return {
    /** Runs one; what it throws is its failure, and the next goes on unless `needed`. */
    step: async (name: string, run: () => Promise<string | void>, needed = false): Promise<void> => {
      const began = Date.now();
      const seconds = () => `${((Date.now() - began) / 1000).toFixed(0)} s`;
      try {
        const detail = await run();
        outcomes.push({ name, failed: false });
        console.log(`passed  ${name} (${seconds()}) ${detail ?? ''}`);
      } catch (error) {
        outcomes.push({ name, failed: true });
        console.log(`FAILED  ${name} (${seconds()}) ${error instanceof Error ? error.message : String(error)}`);
        if (needed) throw error;
      }
    },
    close: (): number => {
      const failed = outcomes.filter((one) => one.failed).length;
      console.log(`${outcomes.length - failed} passed, ${failed} failed`);
      return failed > 0 ? 1 : 0;
    },
  };
}
/** Ends the program with code 3 where something that it needs is missing; its folder goes. */
export async function endWithout(missing: string | undefined, folder: string): Promise<void> {
  if (!missing) return;
  console.error(`not run: ${missing}`);
  await rm(folder, { recursive: true, force: true });
  process.exit(3);
}
export function expect(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Uploads files in one request. @returns the images made of them */
export async function uploadFiles(
  client: HttpClient,
  projectId: string,
  files: { name: string; bytes: Buffer }[],
): Promise<UploadReply['images']> {
  const reply = await client.request(addressOf('POST /api/projects/{id}/images', { path: { id: projectId } }), {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=acceptance' },
    body: multipartBody(files, 'acceptance'),
  });
  expect(reply.status === 201, `upload: ${reply.status} ${reply.body.toString().slice(0, 300)}`);
  return (JSON.parse(reply.body.toString()) as UploadReply).images;
}

/**
 * A client that asks all the time, over connections that it keeps: lists, single images, results. Bounded: 4 at a time, each at most
 * once in `pauseMs`, so 40 requests a second unless told otherwise.
 */
export function startClient(
  target: { url: string; key: string; projectId: string; imageIds: readonly string[] },
  pauseMs = 100,
) {
  const { projectId, imageIds } = target;
  const client = createHttpClient({ baseUrl: target.url, key: target.key, connections: 4 });
  const seen = { sent: 0, ok: 0, failed: {} as Record<string, number> };
  let over = false;
  const json = { 'content-type': 'application/json' };
  const asks = [
    () => client.request(addressOf('GET /api/projects/{id}/images', { path: { id: projectId }, query: { limit: 20 } })),
    (turn: number) =>
      client.request(addressOf('GET /api/images/{id}', { path: { id: imageIds[turn % imageIds.length]! } })),
    (turn: number) =>
      client.request(addressOf('POST /api/segmentation/batch/results'), {
        method: 'POST',
        headers: json,
        body: JSON.stringify({ imageIds: [imageIds[(turn * 7) % imageIds.length]] }),
      }),
  ];
  const loops = [0, 1, 2, 3].map(async (first) => {
    for (let turn = first; !over; turn++) {
      seen.sent++;
      const outcome = await asks[turn % asks.length]!(turn).then(
        ({ status }) => (status >= 200 && status < 300 ? 'ok' : `status ${status}`),
        (error: unknown) => (error as NodeJS.ErrnoException).code ?? String(error),
      );
      if (outcome === 'ok') seen.ok++;
      else seen.failed[outcome] = (seen.failed[outcome] ?? 0) + 1;
      await sleep(pauseMs);
    }
  });
  return async () => {
    over = true;
    await Promise.all(loops);
    client.close();
    return seen;
  };
}

/** What is wrong with what a resuming reader was told of a batch; empty where each image ended exactly once, and no number is missing. */
export function wrongEvents(log: FrameLog, batchId: string, imageIds: readonly string[]): string[] {
  const terminal = log.terminalOf(batchId);
  const missing = imageIds.filter((id) => !terminal.has(id)).length;
  const twice = [...terminal.values()].filter((events) => events.length > 1).length;
  const strange = [...terminal.keys()].filter((id) => !imageIds.includes(id)).length;
  const notCompleted = [...terminal.values()].filter(([first]) => first?.status !== 'completed').length;
  return Object.entries({
    'images without an end': missing,
    'images ended twice': twice,
    'unknown images': strange,
    'images that did not complete': notCompleted,
    'gaps in the numbering': log.sequenceGaps(),
    snapshots: log.snapshots(),
  }).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []));
}
