import type { RunData } from '../contract.ts';
import { diskFull, EnvironmentError } from '../environment/errors.ts';

/** Someone pressed Ctrl-C, or asked the process to end. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}
/** A server or a role of the service ended by itself: what is measured from here on means nothing. */
export class EnvironmentLost extends Error {
  override name = 'EnvironmentLost';
}

/** One signal that ends a run from wherever it is: the first cause stays. */
export function createStop() {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    interrupt: (name: string): void => controller.abort(new Interrupted(`interrupted by ${name}`)),
    lost: (cause: string): void => controller.abort(new EnvironmentLost(cause)),
  };
}
export type Stop = ReturnType<typeof createStop>;

/** `work`, or the signal's reason as soon as it is aborted; what `work` does after that is nobody's concern any more. */
export async function orStop<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  work.catch(() => {});
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const stopped = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}

/** Waits, or throws the signal's reason. */
export const pause = (ms: number, signal: AbortSignal): Promise<void> =>
  orStop(signal, new Promise((resolve) => setTimeout(resolve, ms)));

/** How a run that ended early reads in its result. */
export function stoppedBy(cause: unknown): NonNullable<RunData['stopped']> {
  const message = cause instanceof Error ? cause.message : String(cause);
  if (cause instanceof Interrupted) return { reason: 'interrupted', message };
  const full = diskFull(cause);
  if (full !== undefined) return { reason: 'error', message: full };
  const isTheirs = cause instanceof EnvironmentLost || cause instanceof EnvironmentError;
  return { reason: 'error', message: isTheirs ? message : `the run failed: ${message}` };
}
