import { open, type FileHandle } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';
import { isNotModified, isRangeCurrent, parseRange } from './range.ts';

export interface FileReply {
  path: string;
  mimeType: string;
  /** Strong, with its quotes. */
  etag: string;
  cacheControl: string;
  /** Offered as a download under this name. */
  downloadName?: string;
  /** A client that takes nothing for this long is cut; it may resume. */
  stalledMs?: number;
}
const STALLED_MS = 120_000;

/** 1 MiB would cost less CPU a byte, 64 KiB three times more; with one buffer a reader, 256 KiB keeps 100 readers at 25 MB. */
const CHUNK_BYTES = 256 * 1024;
const IDLE_BUFFERS = 64;
/** Buffers are lent, not made: chunks of thousands of downloads would otherwise grow the heap faster than it is collected. */
const idle: Buffer[] = [];

/** Writes one chunk and waits until the kernel has it, so that the buffer may be used again. False when the client is gone. */
function write(raw: ServerResponse, chunk: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const gone = () => resolve(false);
    raw.once('close', gone);
    raw.write(chunk, (error) => {
      raw.removeListener('close', gone);
      resolve(!error);
    });
  });
}

async function pump(handle: FileHandle, raw: ServerResponse, start: number, end: number): Promise<void> {
  const buffer = idle.pop() ?? Buffer.allocUnsafeSlow(CHUNK_BYTES);
  try {
    for (let at = start; at <= end;) {
      const { bytesRead } = await handle.read(buffer, 0, Math.min(CHUNK_BYTES, end - at + 1), at);
      if (bytesRead === 0) throw new Error(`file ended at byte ${at}, expected ${end + 1}`);
      at += bytesRead;
      if (raw.destroyed || !(await write(raw, buffer.subarray(0, bytesRead)))) return;
    }
    raw.end();
  } finally {
    // A destroyed socket may still hold the chunk: that buffer is left to the collector.
    if (!raw.destroyed && idle.length < IDLE_BUFFERS) idle.push(buffer);
  }
}

/**
 * Answers with a file or one range of it: 200, 206, 304, 416 (RFC 9110). The descriptor is closed when the client leaves.
 * @throws ApiError RANGE_NOT_SATISFIABLE; Error ENOENT when the file is not there.
 */
export async function sendFile(request: FastifyRequest, reply: FastifyReply, file: FileReply): Promise<FastifyReply> {
  const handle = await open(file.path, 'r');
  let handedOn = false;
  try {
    const { size, mtime } = await handle.stat();
    const lastModified = mtime.toUTCString();
    reply.headers({
      'content-type': file.mimeType,
      etag: file.etag,
      'last-modified': lastModified,
      'accept-ranges': 'bytes',
      'cache-control': file.cacheControl,
    });
    if (file.downloadName !== undefined)
      reply.header('content-disposition', `attachment; filename="${file.downloadName.replace(/[^\w.-]/g, '_')}"`);
    if (isNotModified(request.headers, file.etag, lastModified)) return reply.code(304).send();

    // Ranges are defined for GET only (RFC 9110 section 14.2).
    const current =
      request.method === 'GET' && isRangeCurrent(request.headers['if-range']?.toString(), file.etag, lastModified);
    const range = current ? parseRange(request.headers.range, size) : null;
    if (range === 'unsatisfiable') {
      for (const name of ['etag', 'last-modified', 'content-disposition', 'cache-control']) reply.removeHeader(name);
      const message = `range is ${request.headers.range}: the file has ${size} bytes`;
      throw new ApiError('RANGE_NOT_SATISFIABLE', message, { headers: { 'content-range': `bytes */${size}` } });
    }
    const { start, end } = range ?? { start: 0, end: size - 1 };
    reply.code(range ? 206 : 200).header('content-length', end - start + 1);
    if (range) reply.header('content-range', `bytes ${start}-${end}/${size}`);

    reply.hijack();
    reply.raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string | number>);
    if (request.method === 'HEAD' || size === 0) {
      reply.raw.end();
      return reply;
    }
    handedOn = true;
    // Nobody listens for it, so that node:http destroys the socket, and with it everything of this reply.
    reply.raw.setTimeout(file.stalledMs ?? STALLED_MS);
    pump(handle, reply.raw, start, end)
      .catch((error: unknown) => {
        // The length is promised already: all that is left is to let the client see a cut reply.
        request.log.error({ err: error, file: file.path }, 'file reply cut');
        reply.raw.destroy();
      })
      .finally(() => void handle.close().catch(() => {}));
    return reply;
  } finally {
    if (!handedOn) await handle.close();
  }
}
