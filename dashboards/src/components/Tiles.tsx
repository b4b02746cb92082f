import { formatCount, formatDuration, formatMs, formatPercent } from '../models/format.ts';
import type { Operator, Queue } from '../models/Operator.ts';

const NOTHING = '–';
const busyOf = (queue: Queue): string =>
  `${queue.workers.filter(({ state }) => state === 'busy').length} of ${queue.workers.length}`;

function waitWords({ waiting, delayed, oldestAgeMs }: Queue): string {
  if (delayed > 0) return `${formatCount(delayed)} more in paused batches`;
  return waiting > 0 && oldestAgeMs ? `oldest ${formatDuration(oldestAgeMs / 1000)}` : 'nothing waits';
}

/** Six numbers; a tile keeps its size whatever it says. */
export function Tiles({ operator }: { operator: Operator }) {
  const queue = operator.queue.state.value.value;
  const summary = operator.summary.state.value.value;
  const percentiles = operator.endpoints.state.value.value?.percentiles;
  const stale = operator.queue.state.value.error !== null;
  const open = operator.batches.state.value.value ?? [];
  const rate = open.reduce((sum, batch) => sum + batch.imagesPerSecond, 0);
  const tiles = [
    {
      label: 'Queue depth',
      value: queue ? formatCount(queue.waiting) : NOTHING,
      detail: queue ? waitWords(queue) : '',
    },
    {
      label: 'Images/s',
      value: rate > 0 ? rate.toFixed(1) : '0',
      detail: open.length === 1 ? '1 open batch' : `${open.length} open batches`,
    },
    {
      label: 'API p50',
      value: percentiles ? formatMs(percentiles.p50) : NOTHING,
      detail: summary ? `${formatCount(summary.api.requestsPerMinute)} requests/min` : '',
    },
    {
      label: 'API p95',
      value: percentiles ? formatMs(percentiles.p95) : NOTHING,
      detail: summary ? `${formatPercent(summary.api.errorRate)} errors` : '',
    },
    {
      label: 'Workers busy',
      value: queue ? busyOf(queue) : NOTHING,
      detail: queue ? `${formatCount(queue.active)} images in work` : '',
    },
    { label: 'Failed images', value: queue ? formatCount(queue.failed) : NOTHING, detail: 'in open batches' },
  ];
  return (
    <section class={`tiles${stale ? ' tiles-stale' : ''}`} aria-label="Numbers">
      {tiles.map(({ label, value, detail }) => (
        <div key={label} class="tile">
          <span class="tile-label">{label}</span>
          <span class="tile-value">{value}</span>
          <span class="tile-detail">{detail}</span>
        </div>
      ))}
    </section>
  );
}
