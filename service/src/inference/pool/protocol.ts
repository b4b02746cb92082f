import type { FailureCode } from '../../contract/common.ts';
import type { Provider } from '../session.ts';
import type { SegmentOutput } from '../segment.ts';
import type { InferenceRequest } from './backend.ts';

/** The child's only argument, as JSON. */
export interface ChildOptions {
  modelDir: string;
  provider: Provider;
  maxPixels: number;
}
/** `id` numbers messages, not images: an image may come twice. */
export type ToChild = { type: 'run'; id: number; request: InferenceRequest } | { type: 'warmup' };

export type FromChild =
  | { type: 'ready'; rssBytes: number }
  | { type: 'broken'; message: string }
  | { type: 'warm' }
  | { type: 'done'; id: number; output: SegmentOutput; rssBytes: number }
  | { type: 'failed'; id: number; code: FailureCode; message: string; rssBytes: number }
  /** Decoded, or a tile done: the deadline starts anew. */
  | { type: 'progress'; id: number };
