import { useSignal } from '@preact/signals';
import type { Gallery } from '../models/Gallery.ts';
import { GalleryToolbar } from './GalleryToolbar.tsx';
import { ToastStack } from './ToastStack.tsx';
import { UploadReport } from './UploadButton.tsx';
import { VirtualGrid } from './VirtualGrid.tsx';

/** The gallery page over its model; files may be dropped anywhere on it. */
export function GalleryView({ gallery }: { gallery: Gallery }) {
  const dragging = useSignal(false);
  const load = gallery.feed.load.value;
  return (
    <main
      class={`gallery${dragging.value ? ' gallery-drop' : ''}`}
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
        void gallery.uploads.start([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <GalleryToolbar gallery={gallery} />
      <UploadReport uploads={gallery.uploads} />
      {load === 'failed' ? <Failed gallery={gallery} /> : <Images gallery={gallery} />}
      <ToastStack toasts={gallery.toasts} batches={gallery.batches} />
      <p class="visually-hidden" aria-live="polite" role="status">
        {gallery.live.message}
      </p>
    </main>
  );
}

function Images({ gallery }: { gallery: Gallery }) {
  const empty = gallery.grid.count.value === 0 && gallery.feed.load.value === 'ready';
  return (
    <div class="grid-frame">
      <VirtualGrid gallery={gallery} />
      {empty && (
        <div class="empty">
          {gallery.filter.value === null ? (
            <>
              <h2>No images yet</h2>
              <p>Drop PNG, JPEG, TIFF or WebP files here, up to 20 MB each, or use “Upload images”.</p>
            </>
          ) : (
            <>
              <h2>No image is in this state</h2>
              <button type="button" onClick={() => gallery.setFilter(null)}>
                Show all images
              </button>
            </>
          )}
        </div>
      )}
    </div>
  );
}

function Failed({ gallery }: { gallery: Gallery }) {
  return (
    <div class="grid-frame">
      <div class="empty" role="alert">
        <h2>This project could not be opened</h2>
        <p>{gallery.feed.error}</p>
        <button type="button" onClick={() => void gallery.start()}>
          Try again
        </button>
        <a href="/">All projects</a>
      </div>
    </div>
  );
}
