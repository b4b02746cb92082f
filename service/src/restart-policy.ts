export interface RestartPolicy {
  /** Restarts of one role allowed within the window; 0: an unexpected end is final. */
  limit: number;
  windowMs: number;
}

export const NO_RESTART: RestartPolicy = { limit: 0, windowMs: 60_000 };
export const RESTART_FIVE_A_MINUTE: RestartPolicy = { limit: 5, windowMs: 60_000 };

/**
 * Decides on each unexpected end: how long to wait before the next start (0.5 s, doubling, at most 8 s), or `undefined`
 * to give up.
 */
export function createRestarts({ limit, windowMs }: RestartPolicy, now: () => number = Date.now) {
  let recent: number[] = [];
  return {
    nextDelayMs(): number | undefined {
      recent = recent.filter((at) => now() - at < windowMs);
      if (recent.length >= limit) return undefined;
      recent.push(now());
      return Math.min(8000, 500 * 2 ** (recent.length - 1));
    },
  };
}
