/** Names that pages need at run time: no schema here, so that the schema library stays out of the browser. */

export const IMAGE_STATUSES = ['uploaded', 'queued', 'processing', 'completed', 'failed', 'cancelled'] as const;
export type ImageStatus = (typeof IMAGE_STATUSES)[number];
export const TERMINAL_STATUSES = ['completed', 'failed', 'cancelled'] as const satisfies readonly ImageStatus[];
export const isTerminal = (status: ImageStatus): boolean =>
  (TERMINAL_STATUSES as readonly ImageStatus[]).includes(status);

export const BATCH_STATUSES = ['queued', 'running', 'paused', 'completed', 'cancelled'] as const;
export type BatchStatus = (typeof BATCH_STATUSES)[number];

/** Why an image failed, and whether trying again can help. */
export const FAILURE_CODES = {
  TIMEOUT: { retryable: true },
  MODEL_ERROR: { retryable: true },
  INVALID_IMAGE: { retryable: false },
  OUT_OF_MEMORY: { retryable: true },
  CRASHED: { retryable: true },
  UNKNOWN: { retryable: true },
} as const;
export type FailureCode = keyof typeof FAILURE_CODES;
export const FAILURE_CODE_NAMES = Object.keys(FAILURE_CODES) as FailureCode[];

export const POLYGONS_MIME = 'application/vnd.segbench.polygons';
