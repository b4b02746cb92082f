import type { FailureCode } from '../../contract/common.ts';
import type { SegmentOutput } from '../segment.ts';
import type { Provider } from '../session.ts';
import type { InferenceRequest } from './backend.ts';
import type { Measured } from './executor.ts';

/** The child's only argument, as JSON. */
export interface ChildOptions {
  /** What it is started with; other versions are loaded when they are asked for. */
  modelDir: string;
  provider: Provider;
  maxPixels: number;
  /** Square images that it warms up with. */
  warmupSides: readonly number[];
  /** Largest batch that it will be given. */
  maxBatch: number;
}
/** `id` numbers messages, not images. */
export type ToChild = { type: 'run'; id: number; requests: readonly InferenceRequest[] } | { type: 'warmup' };

export interface Failed {
  code: FailureCode;
  message: string;
}
export type FromChild =
  | { type: 'ready'; rssBytes: number }
  | { type: 'broken'; message: string }
  | { type: 'warm'; measured: Measured[]; rssBytes: number }
  /** In the order of the requests. */
  | { type: 'done'; id: number; results: (SegmentOutput | Failed)[]; rssBytes: number }
  /** The batch as a whole. */
  | ({ type: 'failed'; id: number; rssBytes: number } & Failed)
  /** Decoded, or a tile done: the deadline starts anew. */
  | { type: 'progress'; id: number };
