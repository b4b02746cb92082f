import path from 'node:path';
import type { ChildLimits } from '../children/confine.ts';
import { createCrew, CrewError } from '../children/crew.ts';
import { ApiError } from '../errors.ts';
import type { InspectReply, InspectTask } from './inspect-child.ts';
import type { ImageFacts, Refusal } from './refusal.ts';

const CHILD = path.join(import.meta.dirname, 'inspect-child.ts');
/** A process may die of what an image before left behind, or of the machine's own need: the second one decides. */
const ATTEMPTS = 2;

export interface InspectorsOptions {
  /** Child processes at most. Each holds one decoded picture. */
  workers: number;
  timeoutMs: number;
  limits: ChildLimits;
  log?: (message: string) => void;
  idleMs?: number;
  /** Another entry for the children: how tests make them hang and crash. */
  module?: string;
}

const refused = (message: string): Refusal => ({ code: 'INVALID_IMAGE', message: `cannot be decoded: ${message}` });

/** Decodes uploads in confined child processes, once each, before they are accepted. An image that kills or stalls them is refused. */
export function createInspectors({ module = CHILD, ...options }: InspectorsOptions) {
  // What waits is bounded by the requests that brought it: each has at most 100 files, and waits for them.
  const crew = createCrew<InspectTask, InspectReply>({
    ...options,
    module,
    queue: Infinity,
    serialization: 'json',
    noun: 'decoding',
  });

  async function inspect(file: string, maxPixels: number): Promise<ImageFacts | Refusal> {
    for (let attempt = 1; ; attempt++)
      try {
        const { reply } = await crew.run({ file, maxPixels });
        if (!('failed' in reply)) return reply;
        throw Object.assign(new Error(reply.failed), { code: reply.errno });
      } catch (error) {
        if (!(error instanceof CrewError)) throw error;
        if (error.reason === 'busy') throw new ApiError('UNAVAILABLE', undefined, { cause: error });
        if (error.reason === 'late') return refused(`it takes longer than ${options.timeoutMs} ms`);
        if (attempt === ATTEMPTS)
          return refused('it needs more memory or CPU time than is allowed, or breaks the decoder');
      }
  }
  return { inspect, stats: () => crew.stats(), close: () => crew.close() };
}
export type Inspectors = ReturnType<typeof createInspectors>;
