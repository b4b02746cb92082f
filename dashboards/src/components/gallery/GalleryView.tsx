import { useSignal } from '@preact/signals';
import { readDrop } from '../../models/gallery/dropped-files.ts';
import type { Gallery } from '../../models/gallery/Gallery.ts';
import { here } from '../../models/root.ts';
import { WORDS as COMMON } from '../../words/common.ts';
import { WORDS } from '../../words/gallery.ts';
import { GalleryToolbar } from './GalleryToolbar.tsx';
import { SelectionBar } from './SelectionBar.tsx';
import { ToastStack } from './ToastStack.tsx';
import { TrialPanel } from './TrialPanel.tsx';
import { UploadPanel } from './UploadPanel.tsx';
import { VirtualGrid } from './VirtualGrid.tsx';

/** The gallery page over its model; files and folders may be dropped anywhere on it. */
export function GalleryView({ gallery }: { gallery: Gallery }) {
  const dragging = useSignal(false);
  const load = gallery.feed.load.value;
  return (
    <main
      class={`gallery${dragging.value ? ' gallery-drop' : ''}${gallery.selection.any.value ? ' gallery-choosing' : ''}`}
      onDragOver={(event) => {
        event.preventDefault();
        dragging.value = true;
      }}
      onDragLeave={(event) => {
        if (event.currentTarget === event.target) dragging.value = false;
      }}
      onDrop={(event) => {
        event.preventDefault();
        dragging.value = false;
        if (event.dataTransfer) void readDrop(event.dataTransfer).then((chosen) => gallery.uploads.add(chosen));
      }}
    >
      <GalleryToolbar gallery={gallery} />
      <UploadPanel uploads={gallery.uploads} />
      <TrialPanel gallery={gallery} />
      {load === 'failed' ? <Failed gallery={gallery} /> : <Images gallery={gallery} />}
      <ToastStack gallery={gallery} />
      <p class="visually-hidden" aria-live="polite" role="status">
        {gallery.live.message}
      </p>
      <p class="visually-hidden" role="alert">
        {gallery.live.alert}
      </p>
    </main>
  );
}

function Images({ gallery }: { gallery: Gallery }) {
  const empty = gallery.grid.count.value === 0 && gallery.feed.load.value === 'ready';
  return (
    <div class="grid-frame">
      <VirtualGrid gallery={gallery} />
      {empty && <Empty gallery={gallery} />}
      <SelectionBar gallery={gallery} />
    </div>
  );
}

function Empty({ gallery }: { gallery: Gallery }) {
  const { list } = gallery;
  const looking = list.query.value.trim();
  if (looking !== '' && list.ordering.value === 'reading') return <div class="empty">{WORDS.nothing.looking}</div>;
  if (looking !== '')
    return (
      <div class="empty">
        <h2>{WORDS.nothing.byName(looking)}</h2>
        <button type="button" onClick={() => list.setQuery('')}>
          {WORDS.nothing.all}
        </button>
      </div>
    );
  if (list.filter.value !== null)
    return (
      <div class="empty">
        <h2>{WORDS.nothing.byState}</h2>
        <button type="button" onClick={() => list.setFilter(null)}>
          {WORDS.nothing.all}
        </button>
      </div>
    );
  return (
    <div class="empty">
      <h2>{WORDS.drop.title}</h2>
      <p>{WORDS.drop.how}</p>
      <p>{WORDS.drop.after}</p>
    </div>
  );
}

function Failed({ gallery }: { gallery: Gallery }) {
  return (
    <div class="grid-frame">
      <div class="empty" role="alert">
        <h2>{WORDS.failed.title}</h2>
        <p>{gallery.feed.error}</p>
        <button type="button" onClick={() => void gallery.start()}>
          {COMMON.tryAgain}
        </button>
        <a href={here('/')}>{WORDS.failed.back}</a>
      </div>
    </div>
  );
}
