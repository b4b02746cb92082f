import type { Gallery } from '../../models/gallery/Gallery.ts';
import { unlikeWords } from '../../models/gallery/Announcer.ts';
import { formatThreshold } from '../../models/format.ts';
import { here } from '../../models/root.ts';
import { TRIAL_IMAGES } from '../../models/gallery/Trial.ts';
import { WORDS as COMMON } from '../../words/common.ts';
import { WORDS } from '../../words/gallery.ts';
import { BatchProgress } from './BatchProgress.tsx';
import { ConnectionState } from './ConnectionState.tsx';
import { FilterChips } from './FilterChips.tsx';
import { GalleryExport } from './GalleryExport.tsx';
import { ListTools } from './ListTools.tsx';
import { UploadButtons } from './UploadButton.tsx';

const S = WORDS.segment;

export function GalleryToolbar({ gallery }: { gallery: Gallery }) {
  const { actions } = gallery;
  const failed = gallery.feed.load.value === 'failed';
  const name = gallery.feed.project.value?.name ?? (failed ? WORDS.noProject : WORDS.notYet);
  return (
    <header class="toolbar">
      <div class="toolbar-row">
        <a class="home" href={here('/')} aria-label={WORDS.home}>
          {COMMON.name}
        </a>
        <h1 title={name}>{name}</h1>
        <ConnectionState gallery={gallery} />
        <GalleryExport gallery={gallery} />
      </div>
      <div class="toolbar-row toolbar-actions">
        <UploadButtons uploads={gallery.uploads} disabled={failed} />
        <Segmenting gallery={gallery} />
        <BatchProgress gallery={gallery} />
      </div>
      <div class="toolbar-row toolbar-list">
        <FilterChips gallery={gallery} />
        <ListTools gallery={gallery} />
      </div>
      {actions.error.value && (
        <p class="notice notice-bad" role="alert">
          {actions.error.value}
        </p>
      )}
      {gallery.resultError.value && <p class="notice notice-bad">{S.results(gallery.resultError.value)}</p>}
      <Unlike gallery={gallery} />
    </header>
  );
}

function Segmenting({ gallery }: { gallery: Gallery }) {
  const { actions, trial, list, grid } = gallery;
  const { threshold } = actions;
  const empty = grid.count.value === 0 && list.filter.value === null && list.query.value === '';
  return (
    <>
      <label class="threshold" title={S.thresholdHelp}>
        {S.threshold}
        <input
          type="range"
          min="0.1"
          max="0.9"
          step="0.05"
          value={threshold.value}
          onInput={(event) => (threshold.value = Number(event.currentTarget.value))}
          onChange={() => void actions.act(() => trial.again(threshold.peek()))}
        />
        <span aria-hidden="true">{formatThreshold(threshold.value)}</span>
      </label>
      <button
        type="button"
        data-action="try-first"
        disabled={empty || trial.state.value !== null}
        title={S.tryHelp(TRIAL_IMAGES)}
        onClick={() => gallery.tryFirst()}
      >
        {S.tryFirst(TRIAL_IMAGES)}
      </button>
      <button
        type="button"
        class="primary"
        data-action="segment-all"
        disabled={empty}
        onClick={() => {
          gallery.closeTrial();
          void actions.segmentAll();
        }}
      >
        {S.all}
      </button>
    </>
  );
}

/** Says so where the model was shown what it does not know: outlines there may be wrong without looking wrong. */
function Unlike({ gallery }: { gallery: Gallery }) {
  const { unlike } = gallery.looked.value;
  if (unlike === 0 || gallery.list.filter.value === 'unlike') return null;
  return (
    <p class="notice notice-warn" data-unlike-notice={unlike}>
      {unlikeWords(gallery.looked.value)}{' '}
      <button type="button" class="quiet" onClick={() => gallery.list.setFilter('unlike')}>
        {S.show}
      </button>
    </p>
  );
}
