import type { Gallery } from '../../models/gallery/Gallery.ts';
import { formatCount, formatThreshold } from '../../models/format.ts';
import { trialWords } from '../../models/gallery/Trial.ts';
import { WORDS } from '../../words/gallery.ts';

const W = WORDS.trial;

/** A few images at this threshold, before all of them. */
export function TrialPanel({ gallery }: { gallery: Gallery }) {
  const tally = gallery.trial.tally.value;
  if (!tally) return null;
  const { selection, actions, store } = gallery;
  const picked = selection.count.value;
  const at = formatThreshold(actions.threshold.value);
  const whole = picked > 0 ? W.picked(formatCount(picked), at) : W.whole(formatCount(store.count), at);
  const go = (): void => {
    gallery.closeTrial();
    void (picked > 0 ? actions.segmentPicked() : actions.segmentAll());
  };
  return (
    <section class="trial" aria-label={W.label} data-trial={tally.done}>
      <p>{trialWords(tally)}</p>
      <p class="faint">{W.again}</p>
      <span class="trial-actions">
        <button type="button" class="primary" data-action="segment-after-trial" onClick={go}>
          {whole}
        </button>
        <button type="button" onClick={() => gallery.closeTrial()}>
          {W.close}
        </button>
      </span>
    </section>
  );
}
