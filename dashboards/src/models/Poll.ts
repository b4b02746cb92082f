import { signal } from '@preact/signals';
import type { Clock } from './clock.ts';

export interface Polled<T> {
  value: T | null;
  /** When `value` was read, on the clock. */
  at: number | null;
  error: string | null;
}

/**
 * Reads something again and again, the next time `everyMs` after the last answer. The last good value stays when a read
 * fails, beside the error and with its age. Nothing is read while `hidden()`.
 */
export function createPoll<T>(options: {
  read: () => Promise<T>;
  everyMs: number;
  clock: Clock;
  hidden: () => boolean;
}) {
  const { read, everyMs, clock, hidden } = options;
  const state = signal<Polled<T>>({ value: null, at: null, error: null });
  let cancel = () => {};
  let stopped = false;

  async function tick(): Promise<void> {
    if (!hidden()) {
      try {
        const value = await read();
        if (!stopped) state.value = { value, at: clock.now(), error: null };
      } catch (cause) {
        if (!stopped) state.value = { ...state.peek(), error: cause instanceof Error ? cause.message : String(cause) };
      }
    }
    if (!stopped) cancel = clock.after(everyMs, () => void tick());
  }
  return {
    state,
    start: (): void => void tick(),
    /** Reads now, for instance after something was changed here. */
    refresh(): void {
      cancel();
      void tick();
    },
    stop(): void {
      stopped = true;
      cancel();
    },
  };
}
export type Poll<T> = ReturnType<typeof createPoll<T>>;
