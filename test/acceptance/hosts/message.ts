/** What the processes of the hosts tell the script that started them. */
export type HostMessage =
  | { type: 'ready'; roles?: { role: string; metricsUrl: string }[] }
  /** `ended`: images that each worker completed, by its name. */
  | { type: 'progress'; done: number; workers: number; ended: Record<string, number> }
  | { type: 'verdict'; problems: string[]; facts: Record<string, string | number> };

export const tell = (message: HostMessage): void => void process.send?.(message);
/** Runs until SIGTERM, or until who started it is gone; then `close`, and the process ends. */
export function untilEnded(close: () => Promise<void>): void {
  const end = () => void close().finally(() => process.exit(0));
  process.once('SIGTERM', end);
  process.once('disconnect', end);
}
