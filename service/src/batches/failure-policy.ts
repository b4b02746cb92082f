import type { FailureCode } from '../contract/common.ts';

/** One failed attempt at one image, with what happened to it before. */
export interface FailedAttempt {
  code: FailureCode;
  retryable: boolean;
  /** The child died with this image, now; `crashes` counts the times before. */
  crashed: boolean;
  crashes: number;
  /** Attempts so far, this one included. */
  attempts: number;
}

/** A second death of its process quarantines an image; its neighbours go on. */
export const CRASHES_TO_QUARANTINE = 2;
/** A failure without a crash that can pass by itself is tried once more. */
export const ATTEMPTS_PER_FAILURE = 2;
/** An image whose worker vanished this often is not handed out again, whoever is guilty. */
export const ATTEMPTS_IN_ALL = 5;

export function afterFailure(failure: FailedAttempt): 'failed' | 'queued' {
  if (!failure.retryable || failure.attempts >= ATTEMPTS_IN_ALL) return 'failed';
  if (failure.crashed) return failure.crashes + 1 >= CRASHES_TO_QUARANTINE ? 'failed' : 'queued';
  return failure.attempts >= ATTEMPTS_PER_FAILURE ? 'failed' : 'queued';
}

/** A batch pauses itself when more than `ratio` of so many latest images failed. */
export const FAILURE_WINDOW = 200;

/** Why a batch should pause itself now, in words; null when it should go on. `recent` holds the latest images' failure codes, null for a success. */
export function pauseReason(recent: readonly (FailureCode | null)[], ratio: number): string | null {
  const window = recent.slice(0, FAILURE_WINDOW);
  const codes = window.filter((code) => code !== null);
  if (window.length < FAILURE_WINDOW || codes.length / window.length <= ratio) return null;
  const counts = new Map<string, number>();
  for (const code of codes) counts.set(code, (counts.get(code) ?? 0) + 1);
  const listed = [...counts].sort((a, b) => b[1] - a[1]).map(([code, count]) => `${code} ${count}`);
  return `${codes.length} of the last ${window.length} images failed (${listed.join(', ')}), more than the share of ${ratio} allowed`;
}
