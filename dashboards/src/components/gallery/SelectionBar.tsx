import type { Gallery } from '../../models/gallery/Gallery.ts';
import { formatCount } from '../../models/format.ts';
import { TRIAL_IMAGES } from '../../models/gallery/Trial.ts';
import { WORDS } from '../../words/gallery.ts';
import { ForecastWords } from './ForecastWords.tsx';

const W = WORDS.selection;

/** What can be done with the chosen images. It lies over the list, so that nothing moves under the pointer while one chooses. */
export function SelectionBar({ gallery }: { gallery: Gallery }) {
  const { selection, actions } = gallery;
  const count = selection.count.value;
  if (count === 0) return null;
  return (
    <div class="selection-bar" role="group" aria-label={W.label} data-selected={count}>
      <b>{W.count(formatCount(count))}</b>
      <ForecastWords gallery={gallery} />
      <button type="button" class="primary" data-action="segment-selected" onClick={() => void actions.segmentPicked()}>
        {W.segment}
      </button>
      {count > TRIAL_IMAGES && (
        <button type="button" onClick={() => gallery.tryFirst()}>
          {W.tryOf(TRIAL_IMAGES)}
        </button>
      )}
      <button type="button" onClick={() => selection.clear()}>
        {W.clear}
      </button>
    </div>
  );
}
