import { addressOf } from '#contract/client.ts';
import { here } from '../models/root.ts';
import type { NaiveImage } from './state.ts';

/** One card of all: thumbnail, and all polygons as SVG. */
export function NaiveCard({ image }: { image: NaiveImage }) {
  const { result } = image;
  return (
    <div
      class="naive-card"
      data-image-id={image.id}
      data-status={image.status}
      data-overlay={result ? 'drawn' : undefined}
      data-polygon-count={result?.polygonCount}
    >
      <div class="naive-picture">
        <img
          src={here(addressOf('GET /api/images/{id}/render', { path: { id: image.id }, query: { w: 160, f: 'webp' } }))}
          alt=""
        />
        {result && (
          <svg viewBox={`0 0 ${result.imageWidth} ${result.imageHeight}`}>
            <path d={image.outline} />
          </svg>
        )}
      </div>
      <span>{image.name}</span>
      <span>{image.status}</span>
    </div>
  );
}
