import type { RunDetail } from '#contract/runs.ts';
import { formatMs } from '../../models/format.ts';
import { msOf, stagePairs, stepsOf, type StagePair } from '../../models/runs/histograms.ts';
import { WORDS } from '../../words/runs.ts';

const H = WORDS.histograms;
const WIDTH = 240;
const HEIGHT = 56;

/** How long each stage took in two runs: one drawing a stage, the newer run over the older one. */
export function RunHistograms({ base, now }: { base: RunDetail; now: RunDetail }) {
  const pairs = stagePairs(base, now);
  if (pairs.length === 0) return <p class="faint">{H.none}</p>;
  return (
    <section aria-labelledby="histograms-title">
      <h2 id="histograms-title">{H.title}</h2>
      <p class="histogram-legend faint">
        <span>
          <i class="histogram-swatch histogram-swatch-base" aria-hidden="true" /> {H.base}
        </span>
        <span>
          <i class="histogram-swatch histogram-swatch-now" aria-hidden="true" /> {H.now} {H.axis}
        </span>
      </p>
      <div class="histograms">
        {pairs.map((pair) => (
          <Stage key={pair.name} pair={pair} />
        ))}
      </div>
    </section>
  );
}

function Stage({ pair }: { pair: StagePair }) {
  const { name, base, now, low, high } = pair;
  const p50 = H.moved(formatMs(base.p50Ms), formatMs(now.p50Ms));
  const p95 = H.moved(formatMs(base.p95Ms), formatMs(now.p95Ms));
  return (
    <figure class="histogram" data-stage={name}>
      <figcaption>
        <b>{name}</b> <span class="faint">{H.percentiles(p50, p95)}</span>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={H.label(name, H.percentiles(p50, p95))}
      >
        <path class="histogram-base" d={stepsOf(base, pair, WIDTH, HEIGHT)} />
        <path class="histogram-now" d={stepsOf(now, pair, WIDTH, HEIGHT)} />
      </svg>
      <p class="histogram-ends faint">
        <span>{formatMs(msOf(low))}</span>
        <span>{formatMs(msOf(high))}</span>
      </p>
    </figure>
  );
}
