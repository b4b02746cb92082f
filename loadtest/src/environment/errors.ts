/**
 * The environment cannot be brought up, or is gone. `message` says what failed and what to install or do about it;
 * the commands print it and end with exit code 3.
 */
export class EnvironmentError extends Error {
  override name = 'EnvironmentError';
}

/** What to tell of a full disk, whoever met it; undefined for any other error. */
export const diskFull = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && error.code === 'ENOSPC'
    ? `a disk is full (${error.message}): make room, or set TMPDIR or --out to another one`
    : undefined;
