import { useSignal } from '@preact/signals';
import type { Gallery } from '../models/Gallery.ts';
import { BatchProgress } from './BatchProgress.tsx';
import { ConnectionState } from './ConnectionState.tsx';
import { FilterChips } from './FilterChips.tsx';
import { UploadButton } from './UploadButton.tsx';

export function GalleryToolbar({ gallery }: { gallery: Gallery }) {
  const threshold = useSignal(0.5);
  const failed = gallery.feed.load.value === 'failed';
  const name = gallery.feed.project.value?.name ?? (failed ? 'No project' : '…');
  const empty = gallery.grid.count.value === 0 && gallery.filter.value === null;
  return (
    <header class="toolbar">
      <div class="toolbar-row">
        <a class="home" href="/" aria-label="All projects">
          segbench
        </a>
        <h1 title={name}>{name}</h1>
        <ConnectionState gallery={gallery} />
      </div>
      <div class="toolbar-row toolbar-actions">
        <UploadButton uploads={gallery.uploads} disabled={failed} />
        <label
          class="threshold"
          title="How sure the model must be that a pixel belongs to a cell: lower finds more, higher fewer"
        >
          Threshold
          <input
            type="range"
            min="0.1"
            max="0.9"
            step="0.05"
            value={threshold.value}
            onInput={(event) => (threshold.value = Number(event.currentTarget.value))}
          />
          <output>{threshold.value.toFixed(2)}</output>
        </label>
        <button
          type="button"
          class="primary"
          data-action="segment-all"
          disabled={empty}
          onClick={() => void gallery.segmentAll(threshold.value)}
        >
          Segment all
        </button>
        <BatchProgress gallery={gallery} />
      </div>
      <FilterChips gallery={gallery} />
      {gallery.actionError.value && (
        <p class="notice notice-bad" role="alert">
          {gallery.actionError.value}
        </p>
      )}
      {gallery.resultError.value && (
        <p class="notice notice-bad">Results could not be read ({gallery.resultError.value}). Trying again.</p>
      )}
    </header>
  );
}
