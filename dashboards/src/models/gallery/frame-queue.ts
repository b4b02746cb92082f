import { batch } from '@preact/signals';

export interface FrameScheduler {
  requestFrame(action: () => void): number;
  cancelFrame(id: number): void;
  after(delayMs: number, action: () => void): () => void;
}

export const browserFrames: FrameScheduler = {
  requestFrame: (action) => requestAnimationFrame(action),
  cancelFrame: (id) => cancelAnimationFrame(id),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Hidden tabs get no animation frames, and one asked for just before hiding never comes. */
const HIDDEN_FLUSH_MS = 250;

/** Collects what arrives and applies it all in one `batch()` in the next animation frame, or after 250 ms in a hidden tab. */
export function createFrameQueue<T>(options: { frames: FrameScheduler; apply: (items: T[]) => void }) {
  const { frames, apply } = options;
  let items: T[] = [];
  let cancel: (() => void) | null = null;

  function flush(): void {
    cancel?.();
    cancel = null;
    if (items.length === 0) return;
    const taken = items;
    items = [];
    batch(() => apply(taken));
  }
  return {
    push(item: T): void {
      items.push(item);
      if (cancel) return;
      const frame = frames.requestFrame(flush);
      const cancelTimer = frames.after(HIDDEN_FLUSH_MS, flush);
      cancel = () => {
        frames.cancelFrame(frame);
        cancelTimer();
      };
    },
    flush,
    stop(): void {
      cancel?.();
      cancel = null;
      items = [];
    },
  };
}
