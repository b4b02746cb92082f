import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { BrowseRequest, BulkScenario } from '../../../scenarios/scenario.ts';
import { addressOf } from '#contract/client.ts';
import type { HttpClient } from './http-client.ts';
import { createLatencies, type Latencies } from './histogram.ts';
import { parallel } from './parallel.ts';

type BrowsePhase = BulkScenario['phases']['browse'];

export interface BrowseCall {
  kind: BrowseRequest;
  path: string;
}

/** `n` ids spread evenly over all, the same for the same ids. */
const spread = (ids: readonly string[], n: number): string[] => {
  const taken = Math.min(n, ids.length);
  return Array.from({ length: taken }, (_, index) => ids[Math.floor((index * ids.length) / taken)] as string);
};

/** Pages of the image list by the orders and filters that the gallery offers; the first ones are what people open first. */
export function listPaths(projectId: string, imageCount: number, pages: number, pageSize: number): string[] {
  const views = [
    {},
    { sort: 'name' },
    { sort: '-polygonCount' },
    { status: 'completed' },
    { sort: '-createdAt' },
  ] as const;
  const depth = Math.max(1, Math.ceil(imageCount / pageSize));
  return Array.from({ length: pages }, (_, index) => {
    const offset = (Math.floor(index / views.length) % depth) * pageSize;
    return addressOf('GET /api/projects/{id}/images', {
      path: { id: projectId },
      query: { limit: pageSize, ...views[index % views.length], ...(offset > 0 && { offset }) },
    });
  });
}

/** The requests of phase 4 in order: the scenario's mix, each kind going round its own list of paths. */
export function browseCalls(projectId: string, imageIds: readonly string[], phase: BrowsePhase): BrowseCall[] {
  const ids = spread(imageIds, phase.distinctImages);
  const paths: Record<BrowseRequest, string[]> = {
    list: listPaths(projectId, imageIds.length, phase.pages, phase.pageSize),
    image: ids.map((id) => addressOf('GET /api/images/{id}', { path: { id } })),
    picture: ids.map((id) =>
      addressOf('GET /api/images/{id}/render', { path: { id }, query: { w: phase.pictureWidth, f: 'webp' } }),
    ),
  };
  const turn: Record<BrowseRequest, number> = { list: 0, image: 0, picture: 0 };
  return Array.from({ length: phase.requests }, (_, index) => {
    const kind = phase.mix[index % phase.mix.length] as BrowseRequest;
    return { kind, path: paths[kind][turn[kind]++ % paths[kind].length] as string };
  });
}

export interface BrowseOutcome {
  latencies: Latencies;
  requests: number;
  errors: { path: string; status: number }[];
}

/** Sends all calls over `clients` connections; anything but 200 is kept as an error, never left out. */
export async function browse(options: {
  client: HttpClient;
  calls: readonly BrowseCall[];
  clients: number;
  signal?: AbortSignal;
  onProgress?: (done: number) => void;
}): Promise<BrowseOutcome> {
  const { client, calls, clients, signal, onProgress } = options;
  const outcome: BrowseOutcome = { latencies: createLatencies(), requests: 0, errors: [] };
  await parallel(
    calls,
    clients,
    async ({ kind, path }) => {
      const reply = await client.request(path, { headers: { 'accept-encoding': 'gzip' }, signal });
      outcome.latencies.record(kind, reply.durationMs);
      outcome.requests++;
      if (reply.status !== 200) outcome.errors.push({ path, status: reply.status });
      onProgress?.(outcome.requests);
    },
    signal,
  );
  return outcome;
}

const DECODERS: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: gunzipSync,
  br: brotliDecompressSync,
  deflate: inflateSync,
  zstd: zstdDecompressSync,
};

/**
 * Share of the bytes that compression saves on the bulk reply in JSON: one minus wire bytes with `Accept-Encoding` over
 * wire bytes with `identity`. The compressed reply must decode to the plain one's length.
 */
export async function measureCompression(client: HttpClient, imageIds: readonly string[], signal?: AbortSignal) {
  const ask = (encoding: string) =>
    client.request(addressOf('POST /api/segmentation/batch/results'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json', 'accept-encoding': encoding },
      body: JSON.stringify({ imageIds }),
      signal,
    });
  const plain = await ask('identity');
  const packed = await ask('gzip, br');
  for (const reply of [plain, packed])
    if (reply.status !== 200)
      throw new Error(`bulk results: status ${reply.status}: ${reply.body.toString().slice(0, 200)}`);
  const encoding = packed.headers['content-encoding'] ?? 'identity';
  const decoded = DECODERS[encoding]?.(packed.body) ?? packed.body;
  if (decoded.length !== plain.body.length)
    throw new Error(`bulk results: ${encoding} decodes to ${decoded.length} bytes, plain is ${plain.body.length}`);
  return {
    ratio: 1 - packed.body.length / plain.body.length,
    plainBytes: plain.body.length,
    packedBytes: packed.body.length,
    encoding,
  };
}
