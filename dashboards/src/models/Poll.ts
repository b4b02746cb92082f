import { signal } from '@preact/signals';
import { ApiError } from './api.ts';
import type { Clock } from './clock.ts';
import { within } from './within.ts';

export interface Polled<T> {
  value: T | null;
  /** When `value` was read, on the clock. */
  at: number | null;
  error: string | null;
  /** Of the last error, where the service gave one. */
  code?: string | null;
}
/** A line that swallows requests answers with nothing at all: after this long it counts as no answer. */
const TIMEOUT_MS = 5000;
/** However slow the answers are, this long nothing is asked. */
const LEAST_PAUSE_MS = 200;

/**
 * Reads something again and again, each `everyMs`, or a little after the last answer where that came later. The last good value
 * stays when a read fails, beside the error and with its age. Nothing is read while `hidden()`.
 */
export function createPoll<T>(options: {
  read: (signal: AbortSignal) => Promise<T>;
  /** Or how long it is until the next reading, asked after each. */
  everyMs: number | (() => number);
  clock: Clock;
  hidden: () => boolean;
  timeoutMs?: number;
}) {
  const { read, everyMs, clock, hidden, timeoutMs = TIMEOUT_MS } = options;
  const state = signal<Polled<T>>({ value: null, at: null, error: null });
  let cancel = () => {};
  let stopped = false;
  let reading = false;
  /** Somebody asked for a new reading while one was under way, which may have been answered before. */
  let again = false;

  async function readOnce(): Promise<void> {
    try {
      const value = await within(clock, timeoutMs, read);
      if (!stopped) state.value = { value, at: clock.now(), error: null };
    } catch (cause) {
      const code = cause instanceof ApiError ? cause.code : null;
      const error = cause instanceof Error ? cause.message : String(cause);
      if (!stopped) state.value = { ...state.peek(), error, code };
    }
  }
  async function tick(): Promise<void> {
    reading = true;
    const begun = clock.now();
    do {
      again = false;
      if (!hidden()) await readOnce();
    } while (again && !stopped);
    reading = false;
    if (stopped) return;
    const wantedMs = typeof everyMs === 'number' ? everyMs : everyMs();
    const pauseMs = Math.max(LEAST_PAUSE_MS, wantedMs - (clock.now() - begun));
    cancel = clock.after(pauseMs, () => void tick());
  }
  return {
    state,
    start: (): void => void tick(),
    /** Reads now, for instance after something was changed here. */
    refresh(): void {
      if (reading) {
        again = true;
        return;
      }
      cancel();
      if (!stopped) void tick();
    },
    stop(): void {
      stopped = true;
      cancel();
    },
  };
}
export type Poll<T> = ReturnType<typeof createPoll<T>>;
