import { computed, signal, type Signal } from '@preact/signals';
import type { BatchCounts } from '#contract/batches.ts';
import type { BatchState } from '#contract/events.ts';

export type BatchView = BatchState & { pausedReason?: string | null };
export type Batches = ReturnType<typeof createBatches>;

export const terminalOf = (counts: BatchCounts): number => counts.completed + counts.failed + counts.cancelled;
export const isOver = (batch: BatchState): boolean => batch.status === 'completed' || batch.status === 'cancelled';

/** All known batches of a project, oldest first, each behind its own signal. */
export function createBatches(options: {
  /** A batch that this page has not seen before; `live`: it did not end before the page was opened. */
  onSeen?: (batch: BatchView, live: boolean) => void;
  onEnded?: (batch: BatchView) => void;
}) {
  const known = new Map<string, Signal<BatchView>>();
  const order = signal<readonly string[]>([]);
  const newest = computed(() => {
    const id = order.value.at(-1);
    return id === undefined ? null : (known.get(id)?.value ?? null);
  });
  /** What the page's one bar and its buttons are for: the newest batch that can still be acted on, else the newest. */
  const current = computed(() => {
    const id = order.value.findLast((each) => !isOver(known.get(each)!.value)) ?? order.value.at(-1);
    return id === undefined ? null : (known.get(id)?.value ?? null);
  });
  /** Open batches beside `current`. */
  const others = computed(() => Math.max(0, order.value.filter((id) => !isOver(known.get(id)!.value)).length - 1));
  const open = computed(() => order.value.some((id) => !isOver(known.get(id)!.value)));

  /** A reply that was overtaken by events must not turn the clock back. */
  function isOlder(next: BatchView, current: BatchView): boolean {
    if (isOver(current) !== isOver(next)) return isOver(current);
    const ahead = terminalOf(next.counts) - terminalOf(current.counts);
    return ahead < 0 || (ahead === 0 && next.status === 'queued' && current.status !== 'queued');
  }
  /** `history`: true for batches read from a list, which may have ended long ago. */
  function upsert(batch: BatchView, history = false): void {
    const current = known.get(batch.id);
    if (!current) {
      known.set(batch.id, signal(batch));
      order.value = [...order.value, batch.id];
      const live = !history || !isOver(batch);
      options.onSeen?.(batch, live);
      if (live && isOver(batch)) options.onEnded?.(batch);
      return;
    }
    const before = current.peek();
    if (isOlder(batch, before)) return;
    current.value = { ...before, ...batch };
    if (isOver(batch) && !isOver(before)) options.onEnded?.(batch);
  }
  return { newest, current, others, open, order, upsert, get: (id: string) => known.get(id) ?? null };
}
