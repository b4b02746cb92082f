import { isOver, type Batches } from '../models/Batches.ts';
import { toastText, toastTone, type Toasts } from '../models/Toasts.ts';
import { Icon } from './Icon.tsx';

export function ToastStack({ toasts, batches }: { toasts: Toasts; batches: Batches }) {
  return (
    <div class="toasts">
      {toasts.ids.value.map((id) => (
        <Toast key={id} id={id} toasts={toasts} batches={batches} />
      ))}
    </div>
  );
}

/** The node of one batch: its words follow the batch's signal, the node itself is never made again. */
function Toast({ id, toasts, batches }: { id: string; toasts: Toasts; batches: Batches }) {
  const batch = batches.get(id)!.value;
  const tone = toastTone(batch);
  return (
    <div class={`toast toast-${tone}`} data-toast={id}>
      <span class="toast-icon" aria-hidden="true">
        <Icon name={tone} />
      </span>
      <span class="toast-words">{toastText(batch)}</span>
      <button
        type="button"
        class="quiet"
        aria-label="Dismiss"
        disabled={!isOver(batch)}
        onClick={() => toasts.dismiss(id)}
      >
        <Icon name="close" size={12} />
      </button>
    </div>
  );
}
