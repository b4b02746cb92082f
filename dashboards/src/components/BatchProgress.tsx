import { isOver, terminalOf, type BatchView } from '../models/Batches.ts';
import type { Gallery } from '../models/Gallery.ts';
import { formatCount, formatEta, formatRate } from '../models/format.ts';

/** Progress of the newest batch. Its room is there before a batch is, so that nothing jumps when one starts. */
export function BatchProgress({ gallery }: { gallery: Gallery }) {
  const batch = gallery.batches.newest.value;
  const done = batch ? terminalOf(batch.counts) : 0;
  const total = batch?.total ?? 0;
  const share = total > 0 ? done / total : 0;
  return (
    <div class="progress">
      <div
        class={`bar${batch?.status === 'paused' ? ' bar-paused' : ''}`}
        role="progressbar"
        data-batch-id={batch?.id}
        aria-label="Newest batch"
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
        aria-valuetext={batch ? `${formatCount(done)} of ${formatCount(total)} images` : 'no batch yet'}
      >
        <div class="bar-fill" style={{ transform: `scaleX(${share})` }} />
      </div>
      <span class="progress-words">{batch ? progressWords(batch, done) : 'No batch yet'}</span>
      <BatchActions gallery={gallery} batch={batch} />
    </div>
  );
}

function progressWords(batch: BatchView, done: number): string {
  const counted = `${formatCount(done)} of ${formatCount(batch.total)}`;
  if (batch.status === 'cancelled') return `${counted} · cancelled`;
  if (isOver(batch)) return `${counted} · finished`;
  if (batch.status === 'paused') return `${counted} · paused${batch.pausedReason ? `: ${batch.pausedReason}` : ''}`;
  const rate = batch.imagesPerSecond > 0 ? ` · ${formatRate(batch.imagesPerSecond)}` : '';
  return `${counted}${rate}${batch.eta ? ` · ${formatEta(batch.eta)}` : ''}`;
}

function BatchActions({ gallery, batch }: { gallery: Gallery; batch: BatchView | null }) {
  const open = batch !== null && !isOver(batch);
  const paused = batch?.status === 'paused';
  const control = (action: 'pause' | 'resume' | 'cancel') => () => batch && void gallery.control(batch.id, action);
  return (
    <span class="actions">
      <button type="button" disabled={!open} onClick={control(paused ? 'resume' : 'pause')}>
        {paused ? 'Resume' : 'Pause'}
      </button>
      <button type="button" disabled={!open} onClick={control('cancel')}>
        Cancel
      </button>
    </span>
  );
}
