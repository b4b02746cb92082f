import type { FailureCode } from '../../contract/common.ts';
import type { SegmentOutput } from '../segment.ts';
import type { Provider } from '../providers.ts';
import type { LeaseToChild, LeaseToParent } from '../kserve/child-leases.ts';
import type { InferenceRequest } from './backend.ts';
import type { Measured } from './executor.ts';

/** The child's only argument, as JSON. */
export interface ChildOptions {
  /** What it is started with; other versions are loaded when they are asked for. */
  modelDir: string;
  /** Of ONNX Runtime in the child; `kserve`: the model runs on inference servers, and the child decodes and makes polygons. */
  provider: Provider | 'kserve';
  /** Longest wait for one inference server. */
  serverTimeoutMs?: number;
  maxPixels: number;
  /** Square images that it warms up with. */
  warmupSides: readonly number[];
  /** Largest batch that it will be given. */
  maxBatch: number;
  /** Folder of executions that go wrong on demand, in tests; none where empty. */
  crashPoints?: string;
}
/** `id` numbers messages, not images. */
export type ToChild =
  /**
   * `limitMs`: longest run of the model on servers. `quietMs`: signs of progress that come sooner after the last message are not
   * worth one.
   */
  | { type: 'run'; id: number; requests: readonly InferenceRequest[]; limitMs: number; quietMs: number }
  /** Nobody waits for that batch any more. */
  | { type: 'give-up'; id: number }
  | LeaseToChild;

export interface Failed {
  code: FailureCode;
  message: string;
}
export type FromChild =
  /** Warmed up. */
  | { type: 'ready'; measured: Measured[]; rssBytes: number }
  | { type: 'broken'; message: string }
  /** In the order of the requests. */
  | { type: 'done'; id: number; results: (SegmentOutput | Failed)[]; rssBytes: number }
  /** The batch as a whole. */
  | ({ type: 'failed'; id: number; rssBytes: number } & Failed)
  | LeaseToParent
  /** Decoded, or a tile done: the deadline starts anew. */
  | { type: 'progress'; id: number };
