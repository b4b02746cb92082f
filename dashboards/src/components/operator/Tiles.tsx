import type { Operator } from '../../models/operator/Operator.ts';
import { tilesOf, tracePath, type Tile } from '../../models/operator/tiles.ts';
import { WORDS } from '../../words/operator.ts';
import { Icon } from '../Icon.tsx';

const TRACE_SECONDS = 300;
const WIDTH = 120;
const HEIGHT = 18;

/** Six numbers; a tile keeps its size whatever it says. */
export function Tiles({ operator }: { operator: Operator }) {
  const second = operator.second.value;
  const { series } = operator;
  const tiles = tilesOf({
    now: operator.now.state.value.value,
    endpoints: operator.endpoints.state.value.value,
    imagesPerSecond: second < 0 ? null : series.at('imagesPerSecond', second - 1),
    busyRatio: second < 0 ? null : series.at('busyRatio', second),
    baseline: operator.baseline.state.value,
  });
  const stale = operator.now.state.value.error !== null;
  return (
    <section class={`tiles${stale ? ' tiles-stale' : ''}`} aria-label={WORDS.tiles.label}>
      {tiles.map((tile) => (
        <TileView
          key={tile.label}
          tile={tile}
          values={series.window([tile.metric], TRACE_SECONDS).values[tile.metric]}
        />
      ))}
    </section>
  );
}

function TileView({ tile, values }: { tile: Tile; values: (number | null)[] }) {
  return (
    <div class={`tile tile-now${tile.over ? ' tile-over' : ''}`}>
      <span class="tile-label">{tile.label}</span>
      <span class="tile-value">{tile.value}</span>
      <svg
        class="trace"
        viewBox={`0 -1 ${WIDTH} ${HEIGHT + 2}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={WORDS.tiles.trace(tile.label)}
      >
        <path d={tracePath(values, WIDTH, HEIGHT)} />
      </svg>
      <span class="tile-detail">{tile.detail}</span>
      <span class="tile-foot">
        <span class="tile-limit">
          {tile.over && <Icon name="warn" size={12} />} <span class="visually-hidden">{WORDS.tiles.limitLabel}</span>{' '}
          {tile.limit}
        </span>
        <span class="tile-change">{tile.change}</span>
      </span>
    </div>
  );
}
