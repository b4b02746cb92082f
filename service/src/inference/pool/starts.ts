/** Starts that may fail in a row before a worker counts as broken, and gives up if it never was ready. */
const MAX_FAILED_STARTS = 3;
const BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 30_000;

/** When a child that ended is started again: at once, or later and later while it never gets ready. */
export function createStarts(spawn: () => void) {
  let failed = 0;
  let everReady = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  return {
    succeeded(): void {
      failed = 0;
      everReady = true;
    },
    /** @param started whether the one that ended had been ready. @returns false when there will be no further start */
    again(started: boolean): boolean {
      failed = started ? 0 : failed + 1;
      if (failed >= MAX_FAILED_STARTS && !everReady) return false;
      const delayMs = failed === 0 ? 0 : BACKOFF_MS * 2 ** failed;
      timer = setTimeout(spawn, Math.min(MAX_BACKOFF_MS, delayMs));
      return true;
    },
    /** Forgets the start that was to come. */
    cancel: (): void => clearTimeout(timer),
    broken: (): boolean => !closed && failed >= MAX_FAILED_STARTS,
    closed: (): boolean => closed,
    close(): void {
      closed = true;
      clearTimeout(timer);
    },
  };
}
