import { isOver, terminalOf, type BatchView } from '../../models/Batches.ts';
import type { Gallery } from '../../models/gallery/Gallery.ts';
import { ForecastWords } from './ForecastWords.tsx';
import { formatCount, formatEtaRange, formatRate, formatTimeLeft } from '../../models/format.ts';
import { WORDS } from '../../words/gallery.ts';

const W = WORDS.batch;

/** Progress of the newest open batch, or of the last one. Its room is there before a batch is, so that nothing jumps when one starts. */
export function BatchProgress({ gallery }: { gallery: Gallery }) {
  const batch = gallery.batches.current.value;
  const done = batch ? terminalOf(batch.counts) : 0;
  const total = batch?.total ?? 0;
  const saysForecast = gallery.forecast.reply.value !== null && gallery.selection.count.value === 0;
  const others = gallery.batches.others.value;
  const share = total > 0 ? done / total : 0;
  return (
    <div class="progress">
      <div
        class={`bar bar-${batch?.status ?? 'none'}`}
        role="progressbar"
        data-batch-id={batch?.id}
        aria-label={W.label}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
        aria-valuetext={batch ? W.value(formatCount(done), formatCount(total)) : W.noneValue}
      >
        <div class="bar-fill" style={{ transform: `scaleX(${share})` }} />
      </div>
      <span class="progress-words">
        {saysForecast ? <ForecastWords gallery={gallery} /> : batch ? progressWords(batch, done) : W.none}
        {batch?.eta && batch.status === 'running' && <span class="range">{formatEtaRange(batch.eta)}</span>}
        {others > 0 && W.more(formatCount(others))}
      </span>
      <BatchActions gallery={gallery} batch={batch} />
    </div>
  );
}

function progressWords(batch: BatchView, done: number): string {
  const { completed, failed } = batch.counts;
  const faults = failed > 0 ? W.failed(formatCount(failed)) : '';
  if (batch.status === 'cancelled')
    return `${W.cancelled(formatCount(completed + failed), formatCount(batch.total))}${faults}`;
  const counted = `${W.counted(formatCount(done), formatCount(batch.total))}${faults}`;
  if (isOver(batch)) return `${counted} · ${W.finished}`;
  if (batch.status === 'paused') return `${counted} · ${W.paused(batch.pausedReason)}`;
  const rate = batch.imagesPerSecond > 0 ? ` · ${formatRate(batch.imagesPerSecond)}` : '';
  return `${counted}${rate}${batch.eta ? ` · ${formatTimeLeft(batch.eta)}` : ''}`;
}

function BatchActions({ gallery, batch }: { gallery: Gallery; batch: BatchView | null }) {
  const open = batch !== null && !isOver(batch);
  const paused = batch?.status === 'paused';
  const control = (action: 'pause' | 'resume' | 'cancel') => () =>
    batch && void gallery.actions.control(batch.id, action);
  return (
    <span class="actions">
      <button type="button" disabled={!open} onClick={control(paused ? 'resume' : 'pause')}>
        {paused ? W.resume : W.pause}
      </button>
      <button type="button" disabled={!open} onClick={control('cancel')}>
        {W.cancel}
      </button>
    </span>
  );
}
