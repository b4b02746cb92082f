/** How fast a peer must be, and how long it may be slower. */
export interface Pace {
  bytesPerSecond: number;
  windowMs: number;
}

/**
 * Tells who is too slow: a peer that is waited for, and moves less than the pace allows for a whole window. A window in which it was
 * not the peer that was waited for does not count.
 */
export function createPaceKeeper({ bytesPerSecond, windowMs }: Pace) {
  let begunAt: number | null = null;
  let begunBytes = 0;
  /** @param bytes moved so far @param isWaitedFor whether this side could go on now */
  return function isTooSlow(now: number, bytes: number, isWaitedFor: boolean): boolean {
    if (!isWaitedFor) {
      begunAt = null;
      return false;
    }
    if (begunAt === null) {
      begunAt = now;
      begunBytes = bytes;
      return false;
    }
    const passed = now - begunAt;
    if (passed < windowMs) return false;
    if (bytes - begunBytes < (bytesPerSecond * passed) / 1000) return true;
    begunAt = now;
    begunBytes = bytes;
    return false;
  };
}
