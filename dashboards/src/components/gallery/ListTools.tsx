import { useRef } from 'preact/hooks';
import type { Gallery } from '../../models/gallery/Gallery.ts';
import { SORTS, type Sort } from '../../models/ListView.ts';
import { WORDS as COMMON } from '../../words/common.ts';
import { WORDS } from '../../words/gallery.ts';

const W = WORDS.list;

/** What is looked for, in which order, and a way to any place of the list. */
export function ListTools({ gallery }: { gallery: Gallery }) {
  const { list, grid } = gallery;
  const number = useRef<HTMLInputElement>(null);
  const known = gallery.feed.load.value === 'ready';
  const jump = (event: Event): void => {
    event.preventDefault();
    const wanted = number.current!.valueAsNumber;
    if (!(wanted >= 1)) return;
    gallery.jumpTo(wanted - 1);
    number.current!.value = '';
    document.querySelector<HTMLElement>('[data-gallery-grid]')?.focus({ preventScroll: true });
  };
  return (
    <div class="list-tools">
      <input
        type="search"
        aria-label={W.search}
        placeholder={W.searchHint}
        maxLength={200}
        value={list.query.value}
        onInput={(event) => list.setQuery(event.currentTarget.value)}
      />
      <select
        aria-label={W.order}
        value={list.sort.value}
        onChange={(event) => void list.setSort(event.currentTarget.value as Sort)}
      >
        {SORTS.map((sort) => (
          <option key={sort} value={sort}>
            {W.orders[sort]}
          </option>
        ))}
      </select>
      <form class="jump" onSubmit={jump}>
        <input
          ref={number}
          type="number"
          inputMode="numeric"
          min={1}
          max={known ? Math.max(1, grid.count.value) : undefined}
          aria-label={W.jump}
          placeholder={W.jumpHint}
        />
      </form>
      {list.ordering.value === 'failed' && (
        <span class="list-failed" role="alert">
          {W.notOrdered}{' '}
          <button type="button" class="quiet" onClick={() => void list.retry()}>
            {COMMON.tryAgain}
          </button>
        </span>
      )}
    </div>
  );
}
