import type { ImageStatus } from '#contract/names.ts';
import { WORDS } from '../words/common.ts';

export const STATUS_LABELS: Readonly<Record<ImageStatus, string>> = WORDS.status;

/** Each status has a shape of its own, so that colour is never the only sign. */
const SHAPES: Record<ImageStatus, string> = {
  uploaded: 'M6 2.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z',
  queued: 'M6 1.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM6 3.5V6l1.8 1.2',
  processing: 'M6 1.5A4.5 4.5 0 1 1 1.5 6',
  completed: 'M2 6.3 4.8 9 10 3.3',
  failed: 'M3 3l6 6M9 3 3 9',
  cancelled: 'M2.5 6h7',
};

export function StatusMark({ status }: { status: ImageStatus }) {
  return (
    <svg class={`mark mark-${status}`} viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">
      <path d={SHAPES[status]} />
    </svg>
  );
}
