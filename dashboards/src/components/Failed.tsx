import { useSignal } from '@preact/signals';
import { WORDS } from '../words/common.ts';

/** What could not be read, and the way on. The button stays where it is while it reads anew, and with it the focus; a second failure is told anew. */
export function Failed({ why, again }: { why: string; again: () => Promise<unknown> }) {
  const busy = useSignal(false);
  const read = async (): Promise<void> => {
    if (busy.peek()) return;
    busy.value = true;
    await again();
    busy.value = false;
  };
  return (
    <p class="notice notice-bad">
      <span role="alert">{busy.value ? WORDS.loading : why}</span>{' '}
      <button type="button" data-action="again" aria-disabled={busy.value} onClick={() => void read()}>
        {WORDS.tryAgain}
      </button>
    </p>
  );
}
