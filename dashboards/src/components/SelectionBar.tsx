import type { Gallery } from '../models/Gallery.ts';
import { formatCount } from '../models/format.ts';
import { TRIAL_IMAGES } from '../models/Trial.ts';
import { ForecastWords } from './ForecastWords.tsx';

/** What can be done with the chosen images. It lies over the list, so that nothing moves under the pointer while one chooses. */
export function SelectionBar({ gallery }: { gallery: Gallery }) {
  const { selection, actions } = gallery;
  const count = selection.count.value;
  if (count === 0) return null;
  return (
    <div class="selection-bar" role="group" aria-label="Selected images" data-selected={count}>
      <b>{formatCount(count)} selected</b>
      <ForecastWords gallery={gallery} />
      <button type="button" class="primary" data-action="segment-selected" onClick={() => void actions.segmentPicked()}>
        Segment selected
      </button>
      {count > TRIAL_IMAGES && (
        <button type="button" onClick={() => gallery.tryFirst()}>
          Try {TRIAL_IMAGES} of them
        </button>
      )}
      <button type="button" onClick={() => selection.clear()}>
        Clear
      </button>
    </div>
  );
}
