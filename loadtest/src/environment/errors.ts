/**
 * The environment cannot be brought up, or is gone. `message` says what failed and what to install or do about it;
 * the commands print it and end with exit code 3.
 */
export class EnvironmentError extends Error {
  override name = 'EnvironmentError';
}
