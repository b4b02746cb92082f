/** Why a batch went: it was full; a worker was idle and need not wait; its first waited for the delay; one of it would be late. */
export const FLUSH_REASONS = ['size', 'idle', 'delay', 'deadline'] as const;
export type FlushReason = (typeof FLUSH_REASONS)[number];
/** Why an image was not let in. */
export const REJECT_REASONS = ['queue-full', 'expired', 'too-large', 'closed'] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

const zeros = <K extends string>(keys: readonly K[]) =>
  Object.fromEntries(keys.map((key) => [key, 0])) as Record<K, number>;

/** Counts since the start. An execution is one batch, an inference one image of it. */
export function createTally() {
  const flushes = zeros(FLUSH_REASONS);
  const rejects = zeros(REJECT_REASONS);
  const totals = { executions: 0, inferences: 0, room: 0, expired: 0, cancelled: 0 };
  return {
    flushed(reason: FlushReason, count: number, room: number): void {
      flushes[reason]++;
      totals.executions++;
      totals.inferences += count;
      totals.room += room;
    },
    rejected: (reason: RejectReason): void => void rejects[reason]++,
    expired: (count: number): void => void (totals.expired += count),
    cancelled: (): void => void totals.cancelled++,
    read() {
      const { executions, inferences, room, expired, cancelled } = totals;
      return {
        executions,
        inferences,
        /** Images a batch; null before the first. */
        meanBatch: executions === 0 ? null : inferences / executions,
        /** Share of the places of all batches that had an image, 0 to 1; null before the first. */
        fill: room === 0 ? null : inferences / room,
        expired,
        cancelled,
        flushes: { ...flushes },
        rejects: { ...rejects },
      };
    },
  };
}
