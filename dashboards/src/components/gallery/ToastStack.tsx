import { isOver } from '../../models/Batches.ts';
import type { Gallery } from '../../models/gallery/Gallery.ts';
import { toastText, toastTone } from '../../models/gallery/Toasts.ts';
import { WORDS } from '../../words/gallery.ts';
import { Icon } from '../Icon.tsx';

const W = WORDS.toast;

/** The newest on top: none moves away under a pointer when another one comes. */
export function ToastStack({ gallery }: { gallery: Gallery }) {
  return (
    <div class="toasts">
      {gallery.toasts.ids.value.toReversed().map((id) => (
        <Toast key={id} id={id} gallery={gallery} />
      ))}
    </div>
  );
}

/** The node of one batch: its words follow the batch's signal, the node itself is never made again. */
function Toast({ id, gallery }: { id: string; gallery: Gallery }) {
  const { toasts, batches, list, actions } = gallery;
  const batch = batches.get(id)!.value;
  const tone = toastTone(batch);
  const over = isOver(batch);
  const retried = actions.retried.value.has(id);
  const failed = over && batch.counts.failed > 0;
  return (
    <div class={`toast toast-${tone}`} data-toast={id}>
      <span class="toast-icon" aria-hidden="true">
        <Icon name={tone} />
      </span>
      <span class="toast-words">{toastText(batch)}</span>
      {failed && (
        <>
          <button type="button" class="quiet" data-action="show-failed" onClick={() => list.setFilter('failed')}>
            {W.show}
          </button>
          <button
            type="button"
            class="quiet"
            data-action="retry-failed"
            disabled={retried}
            onClick={() => void actions.retryFailed(id)}
          >
            {retried ? W.retried : W.retry}
          </button>
        </>
      )}
      <button
        type="button"
        class="quiet toast-close"
        aria-label={W.dismiss}
        disabled={!over}
        onClick={() => toasts.dismiss(id)}
      >
        <Icon name="close" size={12} />
      </button>
    </div>
  );
}
