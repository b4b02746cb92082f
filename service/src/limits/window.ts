/**
 * A sliding window out of two fixed ones: what the last window counted still weighs by the share of it that lies within the last
 * minute. At no moment does a minute hold twice the limit, as it can with fixed windows, and two numbers a caller are enough.
 */
export const WINDOW_MS = 60_000;

/** Requests let in during this window and during the one before. */
export interface Counts {
  current: number;
  previous: number;
}
export interface Admission {
  admitted: boolean;
  limit: number;
  /** Requests that would be let in now. */
  remaining: number;
  /** Until there is room again when refused, else until the present window ends; whole seconds, at least 1. */
  seconds: number;
}

export const windowAt = (now: number): number => Math.floor(now / WINDOW_MS);
/** The share of the last window that is less than a minute old. */
export const previousWeight = (now: number): number => 1 - (now % WINDOW_MS) / WINDOW_MS;

export const isRoom = ({ current, previous }: Counts, limit: number, now: number, cost = 1): boolean =>
  current + previous * previousWeight(now) + cost <= limit;

/** What a caller is told. `counts` has the request in it when it was admitted, and not when it was refused. */
export function admissionOf(admitted: boolean, counts: Counts, limit: number, now: number, cost = 1): Admission {
  const used = counts.current + counts.previous * previousWeight(now);
  const waitMs = admitted ? WINDOW_MS - (now % WINDOW_MS) : untilRoomMs(counts, limit, now, cost);
  return {
    admitted,
    limit,
    remaining: Math.max(0, Math.floor(limit - used)),
    seconds: Math.max(1, Math.ceil(waitMs / 1000)),
  };
}

/** When the last window has lost enough weight; or, where this one alone is too full, when it has as the last one. */
function untilRoomMs({ current, previous }: Counts, limit: number, now: number, cost: number): number {
  const intoMs = now % WINDOW_MS;
  const share = (room: number, count: number) => 1 - Math.max(0, room) / Math.max(1, count);
  if (current + cost <= limit) return Math.max(0, WINDOW_MS * share(limit - cost - current, previous) - intoMs);
  return WINDOW_MS - intoMs + WINDOW_MS * share(limit - cost, current);
}
