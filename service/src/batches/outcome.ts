import type { FailureCode } from '../contract/common.ts';

/** Names one hand-out of one image: what a worker holds, and what fences its writes. */
export interface ItemKey {
  batchId: string;
  imageId: string;
  generation: number;
}
export const keyOf = ({ batchId, imageId, generation }: ItemKey): string => `${batchId}/${imageId}/${generation}`;

/** One stage of one image, as it goes into `image_stages`. */
export interface StageTime {
  stage: string;
  /** Epoch milliseconds. */
  startedAt: number;
  durationMs: number;
  /** CPU milliseconds, where the stage knows them. */
  cpuMs?: number;
  cause?: string;
}

/** A result to store, once per (sha256, model, version, parameters, tenant). */
export interface NewResult {
  sha256: string;
  /** Whose image was segmented; nobody else is answered with it. */
  tenantId: string;
  model: string;
  modelVersion: string;
  parameters: string;
  threshold: number;
  imageWidth: number;
  imageHeight: number;
  polygonCount: number;
  processingMs: number;
  stages: Record<string, number>;
  /** Codes; none where absent. */
  warnings?: string[];
  polygons: Uint8Array;
}

/**
 * How a hand-out ended. `completed` refers to a result by its bytes' hash: one that is stored already, or `result`, which is
 * stored with it. `queued` hands the image out again under a new generation.
 */
export interface Outcome extends ItemKey {
  status: 'completed' | 'failed' | 'queued';
  sha256: string;
  result?: NewResult;
  code?: FailureCode;
  message?: string;
  crashed?: boolean;
  attempt: number;
  worker: string;
  stages: StageTime[];
}
