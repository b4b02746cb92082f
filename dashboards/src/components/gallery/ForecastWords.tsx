import type { Gallery } from '../../models/gallery/Gallery.ts';
import { WORDS } from '../../words/forecast.ts';

/** What starting now would take; nothing while that is not known. */
export function ForecastWords({ gallery }: { gallery: Gallery }) {
  const reply = gallery.forecast.reply.value;
  if (!reply) return null;
  return (
    <span
      class="forecast"
      data-forecast={reply.forecast?.seconds ?? reply.reason}
      title={reply.forecast ? WORDS.basis(reply.forecast) : undefined}
    >
      {WORDS.forecast(reply)}
    </span>
  );
}
