import { IMAGE_STATUSES } from '#contract/names.ts';
import type { Gallery } from '../models/Gallery.ts';
import { formatCount } from '../models/format.ts';
import { STATUS_LABELS, StatusMark } from './StatusMark.tsx';

export function FilterChips({ gallery }: { gallery: Gallery }) {
  const counts = gallery.counts.value;
  const filter = gallery.filter.value;
  const total = IMAGE_STATUSES.reduce((sum, status) => sum + counts[status], 0);
  return (
    <div class="chips" role="group" aria-label="Show images by status">
      <button
        type="button"
        class="chip"
        data-filter="all"
        aria-pressed={filter === null}
        onClick={() => gallery.setFilter(null)}
      >
        all <b>{formatCount(total)}</b>
      </button>
      {IMAGE_STATUSES.map((status) => (
        <button
          key={status}
          type="button"
          class="chip"
          data-filter={status}
          aria-pressed={filter === status}
          disabled={counts[status] === 0 && filter !== status}
          onClick={() => gallery.setFilter(filter === status ? null : status)}
        >
          <StatusMark status={status} />
          {STATUS_LABELS[status]} <b>{formatCount(counts[status])}</b>
        </button>
      ))}
    </div>
  );
}
