import { signal } from '@preact/signals';
import type { Clock } from './clock.ts';

/** A screen reader that is told more often never finishes a sentence. */
const PAUSE_MS = 5000;

/** Words for one polite live region: at most one message in five seconds, the latest wins. Failures are told by an alert beside it. */
export function createLiveRegion(clock: Clock) {
  const message = signal('');
  const alert = signal('');
  let waiting: string | null = null;
  let cancel: (() => void) | null = null;

  function speak(text: string): void {
    message.value = text;
    cancel = clock.after(PAUSE_MS, () => {
      cancel = null;
      if (waiting === null) return;
      const next = waiting;
      waiting = null;
      speak(next);
    });
  }
  return {
    message,
    alert,
    /** `atOnce`: what ends a wait is not kept waiting. */
    announce(text: string, atOnce = false): void {
      if (cancel && !atOnce) waiting = text;
      else if (text !== message.peek()) {
        cancel?.();
        waiting = null;
        speak(text);
      }
    },
    alarm(text: string): void {
      alert.value = text;
    },
    stop: () => cancel?.(),
  };
}
export type LiveRegion = ReturnType<typeof createLiveRegion>;
