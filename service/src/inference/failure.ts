import { FAILURE_CODES, type FailureCode } from '../contract/common.ts';

/** Why one image gave no result. `crashed` says that the process died with this image, which counts towards its quarantine. */
export class InferenceFailure extends Error {
  readonly code: FailureCode;
  readonly retryable: boolean;
  readonly crashed: boolean;

  constructor(code: FailureCode, message: string, options: { crashed?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = 'InferenceFailure';
    this.code = code;
    this.retryable = FAILURE_CODES[code].retryable;
    this.crashed = options.crashed ?? false;
  }
}

/** A version of the model cannot be had now, by no fault of its files: it may be tried again. */
export class NotYet extends Error {
  override readonly name = 'NotYet';
}

const OUT_OF_MEMORY = /out of memory|bad_alloc|failed to allocate|array buffer allocation|invalid array length/i;

/** The failure of an error thrown while the model ran or while polygons were made. */
export function failureOf(error: unknown): InferenceFailure {
  if (error instanceof InferenceFailure) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (OUT_OF_MEMORY.test(message)) return new InferenceFailure('OUT_OF_MEMORY', message, { cause: error });
  return new InferenceFailure('UNKNOWN', message, { cause: error });
}
