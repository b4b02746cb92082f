import { IMAGE_STATUSES } from '#contract/names.ts';
import type { ComponentChildren } from 'preact';
import type { Gallery } from '../../models/gallery/Gallery.ts';
import type { Filter } from '../../models/ListView.ts';
import { formatCount } from '../../models/format.ts';
import { WORDS } from '../../words/gallery.ts';
import { Icon } from '../Icon.tsx';
import { STATUS_LABELS, StatusMark } from '../StatusMark.tsx';

const W = WORDS.chips;

export function FilterChips({ gallery }: { gallery: Gallery }) {
  const counts = gallery.counts.value;
  const { unlike } = gallery.looked.value;
  const total = IMAGE_STATUSES.reduce((sum, status) => sum + counts[status], 0);
  return (
    <div class="chips" role="group" aria-label={W.label}>
      <Chip gallery={gallery} filter={null} count={total}>
        {W.all}
      </Chip>
      {IMAGE_STATUSES.map((status) => (
        <Chip key={status} gallery={gallery} filter={status} count={counts[status]}>
          <StatusMark status={status} />
          {STATUS_LABELS[status]}
        </Chip>
      ))}
      <Chip gallery={gallery} filter="unlike" count={unlike} rare>
        <Icon name="warn" size={12} />
        {W.unlike}
      </Chip>
      <Chip gallery={gallery} filter="picked" count={gallery.selection.count.value} rare>
        {W.picked}
      </Chip>
    </div>
  );
}

/** `rare`: not there at all while it would show nothing. */
function Chip(props: {
  gallery: Gallery;
  filter: Filter | null;
  count: number;
  rare?: boolean;
  children: ComponentChildren;
}) {
  const { gallery, filter, count } = props;
  const pressed = gallery.list.filter.value === filter;
  if (props.rare && count === 0 && !pressed) return null;
  return (
    <button
      type="button"
      class="chip"
      data-filter={filter ?? 'all'}
      aria-pressed={pressed}
      disabled={filter !== null && count === 0 && !pressed}
      onClick={() => gallery.list.setFilter(pressed ? null : filter)}
    >
      {props.children} <b>{formatCount(count)}</b>
    </button>
  );
}
