/**
 * Runs `work` over `items` with at most `concurrency` at a time, in order of start. The first error (or `signal`) ends the
 * rest: nothing new starts, and the error is thrown once what runs has ended.
 */
export async function parallel<T>(
  items: readonly T[],
  concurrency: number,
  work: (item: T, index: number) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  let next = 0;
  let failure: { cause: unknown } | undefined;
  async function lane(): Promise<void> {
    while (next < items.length && !failure && !signal?.aborted) {
      const index = next++;
      try {
        await work(items[index] as T, index);
      } catch (cause) {
        failure ??= { cause };
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, lane));
  signal?.throwIfAborted();
  if (failure) throw failure.cause;
}
