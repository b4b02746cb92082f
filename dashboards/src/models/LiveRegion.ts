import { signal } from '@preact/signals';
import type { Clock } from './clock.ts';

/** A screen reader that is told more often never finishes a sentence. */
const PAUSE_MS = 5000;
/** A region is empty for this long before each message: the same words once more are a change, and are heard. */
const EMPTY_MS = 100;

/** Words for one polite live region: at most one message in five seconds, the latest wins. Failures are told by an alert beside it. */
export function createLiveRegion(clock: Clock) {
  const message = signal('');
  const alert = signal('');
  let waiting: string | null = null;
  let cancel: (() => void) | null = null;
  let cancelAlarm: (() => void) | null = null;

  function speak(text: string): void {
    message.value = '';
    cancel = clock.after(EMPTY_MS, () => {
      message.value = text;
      cancel = clock.after(PAUSE_MS, () => {
        cancel = null;
        if (waiting === null) return;
        const next = waiting;
        waiting = null;
        speak(next);
      });
    });
  }
  return {
    message,
    alert,
    /** `atOnce`: what ends a wait is not kept waiting. */
    announce(text: string, atOnce = false): void {
      if (cancel && !atOnce) {
        waiting = text;
        return;
      }
      cancel?.();
      waiting = null;
      speak(text);
    },
    alarm(text: string): void {
      cancelAlarm?.();
      alert.value = '';
      cancelAlarm = clock.after(EMPTY_MS, () => void (alert.value = text));
    },
    stop(): void {
      cancel?.();
      cancelAlarm?.();
    },
  };
}
export type LiveRegion = ReturnType<typeof createLiveRegion>;
