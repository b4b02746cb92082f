import { signal } from '@preact/signals';
import { isOver, type BatchView } from '../Batches.ts';
import { formatCount } from '../format.ts';
import { WORDS } from '../../words/gallery.ts';

const W = WORDS.toast;

/** Finished toasts beyond this many make room, oldest first. */
const KEPT = 4;

export type Toasts = ReturnType<typeof createToasts>;

/** One toast a batch: its node is made once and its words change in place. */
export function createToasts() {
  const ids = signal<readonly string[]>([]);
  const shown = new Set<string>();
  return {
    ids,
    add(batchId: string): void {
      if (shown.has(batchId)) return;
      shown.add(batchId);
      ids.value = [...ids.value, batchId].slice(-KEPT);
    },
    dismiss(batchId: string): void {
      ids.value = ids.value.filter((id) => id !== batchId);
    },
  };
}

/** "1,000 images: 997 done, 3 failed"; what is still to do comes last. */
export function toastText(batch: BatchView): string {
  const { completed, failed, cancelled, queued, processing } = batch.counts;
  const parts = [W.done(formatCount(completed))];
  if (failed > 0) parts.push(W.failed(formatCount(failed)));
  if (cancelled > 0) parts.push(W.cancelled(formatCount(cancelled)));
  if (!isOver(batch)) parts.push(W.left(formatCount(queued + processing)));
  return `${WORDS.images(batch.total)}: ${parts.join(', ')}`;
}

export type ToastTone = 'running' | 'paused' | 'good' | 'warn' | 'bad';
export function toastTone(batch: BatchView): ToastTone {
  if (batch.status === 'paused') return 'paused';
  if (!isOver(batch)) return 'running';
  if (batch.counts.failed > 0) return 'bad';
  return batch.counts.cancelled > 0 ? 'warn' : 'good';
}
