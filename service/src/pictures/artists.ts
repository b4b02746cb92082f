import path from 'node:path';
import type { ChildLimits } from '../children/confine.ts';
import { createCrew, CrewError } from '../children/crew.ts';
import { ApiError } from '../errors.ts';
import type { DrawReply } from './child.ts';
import type { Drawing, DrawFailure } from './draw.ts';

const CHILD = path.join(import.meta.dirname, 'child.ts');
const RETRY_AFTER = { headers: { 'retry-after': '2' } };

export interface ArtistsOptions {
  /** Child processes at most; each draws one picture at a time. */
  workers: number;
  /** Drawings that may wait for a child. */
  queue: number;
  timeoutMs: number;
  limits: ChildLimits;
  log?: (message: string) => void;
  idleMs?: number;
  /** Another entry for the children: how tests make them hang and crash. */
  module?: string;
}

const FAILURES: Record<DrawFailure, (message: string) => ApiError> = {
  'too-large': () => new ApiError('IMAGE_TOO_LARGE', 'the image has more pixels than MAX_IMAGE_PIXELS of this server'),
  gone: () => new ApiError('NOT_FOUND', 'the image was deleted'),
  full: () => new ApiError('STORAGE_FULL'),
  damaged: (message) => new ApiError('IMAGE_DAMAGED', `the image cannot be decoded: ${message.slice(0, 200)}`),
};
const asApiError = (cause: unknown): unknown =>
  cause instanceof CrewError
    ? new ApiError(cause.reason === 'busy' ? 'PICTURES_BUSY' : 'PICTURE_FAILED', undefined, { ...RETRY_AFTER, cause })
    : cause;

/** Draws pictures in child processes, of which only one's picture fails when it hangs or dies. */
export function createArtists({ module = CHILD, ...options }: ArtistsOptions) {
  const crew = createCrew<Drawing, DrawReply>({ ...options, module, serialization: 'advanced', noun: 'picture' });
  const refusals = { damaged: 0 };
  return {
    /** @throws ApiError PICTURES_BUSY, PICTURE_FAILED, IMAGE_TOO_LARGE, IMAGE_DAMAGED, NOT_FOUND */
    async draw(drawing: Drawing): Promise<Buffer> {
      const { reply } = await crew.run(drawing).catch((error: unknown) => {
        throw asApiError(error);
      });
      if ('failure' in reply) {
        refusals.damaged++;
        throw FAILURES[reply.failure](reply.message);
      }
      const { buffer, byteOffset, byteLength } = reply.bytes;
      return Buffer.from(buffer, byteOffset, byteLength);
    },
    stats() {
      const { done, failed, ...stats } = crew.stats();
      return { ...stats, drawn: done - refusals.damaged, failed: failed + refusals.damaged };
    },
    close: () => crew.close(),
  };
}
export type Artists = ReturnType<typeof createArtists>;
