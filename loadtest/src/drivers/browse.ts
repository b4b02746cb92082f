import { gunzipSync, brotliDecompressSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { HttpClient } from './http-client.ts';
import { createLatencies, type Latencies } from './histogram.ts';
import { parallel } from './parallel.ts';

export interface BrowseRequest {
  route: 'image_list' | 'image_detail' | 'picture';
  path: string;
}

/**
 * The fixed mix of phase 4: list pages by several orders and filters, details and pictures of images spread evenly over the
 * project; the same for the same ids. `repeats` rounds of it are read one after the other.
 */
export function browseMix(projectId: string, imageIds: readonly string[]): BrowseRequest[] {
  const spread = (n: number) =>
    Array.from(
      { length: Math.min(n, imageIds.length) },
      (_, index) => imageIds[Math.floor((index * imageIds.length) / Math.min(n, imageIds.length))] as string,
    );
  const list = `/api/projects/${projectId}/images`;
  const lists = [
    `${list}?limit=50`,
    `${list}?limit=50&offset=50`,
    `${list}?limit=50&offset=${Math.max(0, Math.floor(imageIds.length / 2))}`,
    `${list}?limit=100&sort=name`,
    `${list}?limit=100&sort=-polygonCount`,
    `${list}?limit=50&status=completed`,
    `${list}?limit=50&q=1`,
    `${list}?limit=500`,
  ].map((path): BrowseRequest => ({ route: 'image_list', path }));
  const details = spread(12).map((id): BrowseRequest => ({ route: 'image_detail', path: `/api/images/${id}` }));
  const pictures = spread(20).map((id): BrowseRequest => ({
    route: 'picture',
    path: `/api/images/${id}/render?w=160&f=webp`,
  }));
  return [...lists, ...details, ...pictures];
}

export interface BrowseOutcome {
  latencies: Latencies;
  requests: number;
  errors: { path: string; status: number }[];
}

/** Reads the mix `repeats` times over `clients` connections; anything but 200 is kept as an error, never left out. */
export async function browse(options: {
  client: HttpClient;
  mix: readonly BrowseRequest[];
  repeats: number;
  clients: number;
  signal?: AbortSignal;
  onProgress?: (done: number) => void;
}): Promise<BrowseOutcome> {
  const { client, mix, repeats, clients, signal, onProgress } = options;
  const outcome: BrowseOutcome = { latencies: createLatencies(), requests: 0, errors: [] };
  const all = Array.from({ length: repeats }, () => mix).flat();
  await parallel(
    all,
    clients,
    async ({ route, path }) => {
      const reply = await client.request(path, { headers: { 'accept-encoding': 'gzip' }, signal });
      outcome.latencies.record(route, reply.durationMs);
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
    client.request('/api/segmentation/batch/results', {
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
