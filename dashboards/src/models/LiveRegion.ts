import { signal } from '@preact/signals';
import type { Clock } from './clock.ts';

/** A screen reader that is told more often never finishes a sentence. */
const PAUSE_MS = 5000;

/** Words for one polite live region: at most one message in five seconds, the latest wins. */
export function createLiveRegion(clock: Clock) {
  const message = signal('');
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
    announce(text: string): void {
      if (cancel) waiting = text;
      else if (text !== message.peek()) speak(text);
    },
    stop: () => cancel?.(),
  };
}
