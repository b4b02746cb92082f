import type { Gallery } from '../models/Gallery.ts';
import { formatCount } from '../models/format.ts';
import { trialWords } from '../models/Trial.ts';

/** A few images at this threshold, before all of them. */
export function TrialPanel({ gallery }: { gallery: Gallery }) {
  const tally = gallery.trial.tally.value;
  if (!tally) return null;
  const { selection, actions, store } = gallery;
  const picked = selection.count.value;
  const whole = picked > 0 ? `Segment ${formatCount(picked)} selected` : `Segment all ${formatCount(store.count)}`;
  const go = (): void => {
    gallery.closeTrial();
    void (picked > 0 ? actions.segmentPicked() : actions.segmentAll());
  };
  return (
    <section class="trial" aria-label="Trial" data-trial={tally.done}>
      <p>{trialWords(tally)}</p>
      <p class="faint">Move the threshold, and these are segmented again. Nothing else is started.</p>
      <span class="trial-actions">
        <button type="button" class="primary" data-action="segment-after-trial" onClick={go}>
          {whole} at {actions.threshold.value.toFixed(2)}
        </button>
        <button type="button" onClick={() => gallery.closeTrial()}>
          Close
        </button>
      </span>
    </section>
  );
}
