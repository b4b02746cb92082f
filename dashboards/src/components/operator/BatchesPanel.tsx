import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { NowBatch } from '#contract/now.ts';
import { isOver, terminalOf } from '../../models/Batches.ts';
import { formatCount, formatTimeLeft } from '../../models/format.ts';
import type { Operator } from '../../models/operator/Operator.ts';
import { here } from '../../models/root.ts';
import { WORDS } from '../../words/operator.ts';
import { Confirm } from '../Confirm.tsx';
import { VirtualRows } from './VirtualRows.tsx';

const W = WORDS.batches;
const ROW_PX = 38;
/** A narrow screen puts words and buttons under the bar. */
const NARROW_ROW_PX = 84;

function useMedia(query: string): boolean {
  const matches = useSignal(matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const follow = () => (matches.value = list.matches);
    list.addEventListener('change', follow);
    return () => list.removeEventListener('change', follow);
  }, [query]);
  return matches.value;
}

/** Open batches first, then those that ended last. */
export function BatchesPanel({ operator }: { operator: Operator }) {
  const narrow = useMedia('(max-width: 700px)');
  const now = operator.now.state.value.value;
  const batches = now?.batches ?? [];
  const listed = batches.filter((batch) => !isOver(batch)).length;
  const unlisted = (now?.openBatches ?? 0) - listed;
  return (
    <section class="panel panel-now">
      <h2>{W.title}</h2>
      {operator.actionError.value && (
        <p class="notice notice-bad" role="alert">
          {operator.actionError.value}
        </p>
      )}
      {batches.length === 0 ? (
        <p class="faint">{W.none}</p>
      ) : (
        <VirtualRows items={batches} rowPx={narrow ? NARROW_ROW_PX : ROW_PX} label={W.title} keyOf={({ id }) => id}>
          {(batch) => <BatchRow batch={batch} operator={operator} />}
        </VirtualRows>
      )}
      {unlisted > 0 && <p class="faint">{W.more(unlisted)}</p>}
    </section>
  );
}

function wordsOf(batch: NowBatch): string {
  const parts = [W.done(formatCount(terminalOf(batch.counts)), formatCount(batch.total))];
  if (batch.counts.failed > 0) parts.push(W.failed(formatCount(batch.counts.failed)));
  if (batch.retryOf) parts.push(W.retry);
  if (batch.pausedReason) parts.push(W.paused(batch.pausedReason));
  else if (batch.status === 'running' && batch.eta) parts.push(formatTimeLeft(batch.eta));
  else parts.push(W.status[batch.status]);
  return parts.join(' · ');
}

function BatchRow({ batch, operator }: { batch: NowBatch; operator: Operator }) {
  const open = !isOver(batch);
  const busy = operator.busy.value.has(batch.id);
  const paused = batch.status === 'paused';
  const words = wordsOf(batch);
  const left = batch.counts.queued + batch.counts.processing;
  return (
    <div class={`batch batch-${batch.status}`} data-batch={batch.id}>
      <a href={here(`/projects/${batch.projectId}`)}>{batch.projectName}</a>
      <progress max={batch.total} value={terminalOf(batch.counts)} aria-label={W.progress(batch.projectName)} />
      <span class="batch-words" title={words}>
        {words}
      </span>
      {open && (
        <span class="batch-actions">
          <button
            type="button"
            class="small"
            disabled={busy}
            data-action={paused ? 'resume' : 'pause'}
            aria-label={`${paused ? W.resume : W.pause}: ${W.progress(batch.projectName)}`}
            onClick={() => void operator.control(batch.id, paused ? 'resume' : 'pause')}
          >
            {paused ? W.resume : W.pause}
          </button>
          <Confirm
            label={W.cancel}
            about={W.progress(batch.projectName)}
            ask={W.cancelAsk(left)}
            yes={W.cancelYes}
            no={W.keep}
            disabled={busy}
            action="cancel"
            onYes={() => void operator.control(batch.id, 'cancel')}
          />
        </span>
      )}
    </div>
  );
}
