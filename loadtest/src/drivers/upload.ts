import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { addressOf } from '#contract/client.ts';
import type { Image, Rejection, UploadReply } from '#contract/images.ts';
import type { RejectedFile } from '../contract.ts';
import type { HttpClient } from './http-client.ts';
import { parallel } from './parallel.ts';

export interface UploadFile {
  name: string;
  path: string;
  /** Of its bytes, hex: what the service answers must be the same. */
  sha256: string;
}
export interface UploadedImage {
  image: Image;
  file: UploadFile;
  /** Epoch ms at which the service's answer was complete. */
  uploadedAtMs: number;
  /** Of the request that carried this file. */
  requestMs: number;
}
export interface UploadOutcome {
  uploaded: UploadedImage[];
  rejected: RejectedFile[];
  requestMs: number[];
}

const TYPES: Record<string, string> = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', webp: 'image/webp' };
const typeOf = (name: string) => {
  const extension = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return TYPES[extension] ?? (extension.startsWith('tif') ? 'image/tiff' : 'application/octet-stream');
};

/** A multipart/form-data body (RFC 7578), field `files` repeated. */
export function multipartBody(files: readonly { name: string; bytes: Buffer }[], boundary: string): Buffer {
  const parts = files.flatMap(({ name, bytes }) => {
    const quoted = name.replaceAll(/[\r\n"]/g, encodeURIComponent);
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="files"; filename="${quoted}"\r\ncontent-type: ${typeOf(name)}\r\n\r\n`;
    return [Buffer.from(head), bytes, Buffer.from('\r\n')];
  });
  return Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
}

interface UploadOptions {
  client: HttpClient;
  projectId: string;
  files: readonly UploadFile[];
  filesPerRequest?: number;
  concurrency?: number;
  signal?: AbortSignal;
  onProgress?: (done: number) => void;
}

/**
 * Uploads all files in requests of a few files each, several at a time. A file that the service refuses is reported by
 * name and code; any answer but 201, or 400 with a list of rejects, is an error.
 */
export async function uploadFiles(options: UploadOptions): Promise<UploadOutcome> {
  const { client, projectId, files, filesPerRequest = 8, concurrency = 4, signal, onProgress } = options;
  const groups = Array.from({ length: Math.ceil(files.length / filesPerRequest) }, (_, index) =>
    files.slice(index * filesPerRequest, (index + 1) * filesPerRequest),
  );
  const outcome: UploadOutcome = { uploaded: [], rejected: [], requestMs: [] };
  let done = 0;

  async function send(group: readonly UploadFile[]): Promise<void> {
    const boundary = `segbench-${randomUUID()}`;
    const parts = await Promise.all(group.map(async (file) => ({ name: file.name, bytes: await readFile(file.path) })));
    const reply = await client.request(addressOf('POST /api/projects/{id}/images', { path: { id: projectId } }), {
      method: 'POST',
      headers: { 'content-type': `multipart/form-data; boundary=${boundary}`, 'idempotency-key': randomUUID() },
      body: multipartBody(parts, boundary),
      signal,
    });
    const { images, rejected } = readReply(reply.status, reply.body.toString(), group);
    const uploadedAtMs = Date.now();
    outcome.requestMs.push(reply.durationMs);
    outcome.rejected.push(...rejected);
    outcome.uploaded.push(...pair(group, images, rejected, { uploadedAtMs, requestMs: reply.durationMs }));
    done += group.length;
    onProgress?.(done);
  }

  await parallel(groups, concurrency, send, signal);
  return outcome;
}

function readReply(status: number, text: string, group: readonly UploadFile[]): UploadReply {
  if (status === 201) return JSON.parse(text) as UploadReply;
  if (status === 400) {
    const body = JSON.parse(text) as { rejected?: Rejection[]; code?: string; message?: string };
    if (body.rejected) return { images: [], rejected: body.rejected };
  }
  const names = group.map(({ name }) => name).join(', ');
  throw new Error(`upload of ${names}: status ${status}: ${text.slice(0, 300)}`);
}

/** An accepted image is its file's by content; files of equal bytes are told apart by their order. */
function pair(
  group: readonly UploadFile[],
  images: readonly Image[],
  rejected: readonly Rejection[],
  times: { uploadedAtMs: number; requestMs: number },
): UploadedImage[] {
  const sent = `upload: ${group.length} files sent, ${images.length} accepted and ${rejected.length} rejected`;
  if (images.length + rejected.length !== group.length) throw new Error(sent);
  const left = [...group];
  return images.map((image) => {
    const index = left.findIndex(({ sha256 }) => sha256 === image.sha256);
    const file = left[index];
    if (!file) throw new Error(`${sent}; ${image.name} came back with SHA-256 ${image.sha256}, which was not sent`);
    left.splice(index, 1);
    return { image, file, ...times };
  });
}
