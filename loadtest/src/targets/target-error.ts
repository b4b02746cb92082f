import { EnvironmentError } from '../environment/errors.ts';

/** The target, or its adapter, failed: the message says which call, at which address, and why. Exit code 3. */
export class TargetError extends EnvironmentError {
  override name = 'TargetError';
}

/** What an error says, with what its causes say: `fetch failed: connect ECONNREFUSED 127.0.0.1:9`. */
export function wordsOf(error: unknown): string {
  const words: string[] = [];
  let cause = error;
  for (let depth = 0; depth < 5 && cause instanceof Error; depth++) {
    const own = cause.message || ('code' in cause ? String(cause.code) : cause.name);
    if (!words.some((said) => said.includes(own))) words.push(own);
    cause = cause instanceof AggregateError && cause.errors.length > 0 ? cause.errors[0] : cause.cause;
  }
  return words.length > 0 ? words.join(': ') : String(error);
}
