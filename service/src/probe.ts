const KEPT_MS = 5_000;
const TIMEOUT_MS = 1_000;

/**
 * Something that is asked for when somebody scrapes, and else costs nothing: at most once in `keptMs`, whoever asks.
 * @returns what it read; null when it failed or took longer than `timeoutMs`: a scrape waits for nobody
 */
export function createProbe<T>(
  read: () => Promise<T>,
  options: { keptMs?: number; timeoutMs?: number; now?: () => number } = {},
): () => Promise<T | null> {
  const { keptMs = KEPT_MS, timeoutMs = TIMEOUT_MS, now = () => performance.now() } = options;
  let kept: { value: T; at: number } | null = null;
  let running: Promise<T | null> | null = null;

  async function refresh(): Promise<T | null> {
    try {
      const value = await read();
      kept = { value, at: now() };
      return value;
    } catch {
      kept = null;
      return null;
    } finally {
      running = null;
    }
  }
  return async () => {
    if (kept !== null && now() - kept.at < keptMs) return kept.value;
    // one that hangs is not joined by a second
    running ??= refresh();
    const { promise: late, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => resolve(null), timeoutMs);
    try {
      return await Promise.race([running, late]);
    } finally {
      clearTimeout(timer);
    }
  };
}
