import type { Clock } from './clock.ts';
import { WORDS } from '../words/common.ts';

/**
 * Work that a line may swallow: after `ms` without an answer it is called off by its signal.
 * @throws Error that says so
 */
export async function within<T>(
  clock: Pick<Clock, 'after'>,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const given = new AbortController();
  const late = Promise.withResolvers<never>();
  const off = clock.after(ms, () => {
    late.reject(new Error(WORDS.late(ms / 1000)));
    given.abort();
  });
  try {
    return await Promise.race([work(given.signal), late.promise]);
  } finally {
    off();
  }
}
