import { batch as together, computed, effect, signal } from '@preact/signals';
import type { Project } from '#contract/images.ts';
import type { HealthReply } from '#contract/metrics.ts';
import type { NowBatch, NowReply } from '#contract/now.ts';
import type { QueueReply } from '#contract/queue.ts';
import { WORDS } from '../../words/operator.ts';
import type { Api } from '../api.ts';
import { BASELINE_SECONDS, createBaseline, type Storage } from '../Baseline.ts';
import { isOver } from '../Batches.ts';
import type { ChartWindow } from '../charts.ts';
import type { Clock } from '../clock.ts';
import { createFailures } from './Failures.ts';
import { formatCount } from '../format.ts';
import { createLiveRegion } from '../LiveRegion.ts';
import { liveBudgets, toneOf } from '../live-budgets.ts';
import { createPoll, type Polled } from '../Poll.ts';
import { METRICS, keepLatencies, keepReading, type MetricName } from '../readings.ts';
import { createSeries } from '../Series.ts';
import { verdictOf } from './verdict.ts';

const EVERY_MS = 1000;
/** Health, queries and routes are means of a minute: they need no second. All of a page: 150 requests a minute of the 600 a key has. */
const SLOWER_MS = 2000;
const SLOWEST_MS = 5000;
/** The longest list of names that is still read. */
const PROJECTS_SHOWN = 100;

/** What the page reads of the service's health. */
export type Health = Pick<HealthReply, 'status' | 'timestamp'> & { services: Record<string, { status: string }> };
export type { QueueReply as Queue };

export type Operator = ReturnType<typeof createOperator>;
export type BatchAction = 'pause' | 'resume' | 'cancel';

/** The operator's view: what happens now, an hour of it, and what can be done about it. */
export function createOperator(deps: { api: Api; clock: Clock; hidden: () => boolean; storage?: Storage | null }) {
  const { api, clock, hidden, storage = null } = deps;
  const poll = <T>(read: (given: AbortSignal) => Promise<T>, everyMs = EVERY_MS) =>
    createPoll({ read, everyMs, clock, hidden });
  const now = poll((given) => api.call('GET /api/now', { signal: given }));
  const health = poll((given) => api.call('GET /api/metrics/health', { signal: given }), SLOWER_MS);
  const summary = poll((given) => api.call('GET /api/metrics/summary', { signal: given }), SLOWEST_MS);
  const endpoints = poll((given) => api.call('GET /api/metrics/endpoints', { signal: given }), SLOWER_MS);
  const projects = poll(readProjects, SLOWEST_MS);
  const polls = [now, health, summary, endpoints, projects];

  const series = createSeries<MetricName>(METRICS);
  /** The second of the latest reading: what draws from `series` follows it. */
  const second = signal(-1);
  /** Which second of those shown the charts are read at; null for the newest. */
  const cursor = signal<number | null>(null);
  const shown = signal<ChartWindow>('5 min');
  const baseline = createBaseline({ storage, now: Date.now });
  const failures = createFailures({ api, clock });
  const polite = createLiveRegion(clock);
  const alert = createLiveRegion(clock);
  const createError = signal<string | null>(null);
  const actionError = signal<string | null>(null);
  const busy = signal<ReadonlySet<string>>(new Set());

  const queue = computed<Polled<QueueReply>>(() => {
    const { value, ...rest } = now.state.value;
    return { ...rest, value: value?.queue ?? null };
  });
  const budgets = computed(() =>
    liveBudgets({
      now: now.state.value.value,
      summary: summary.state.value.value,
      endpoints: endpoints.state.value.value,
      imagesPerSecond: second.value < 0 ? null : series.at('imagesPerSecond', second.value - 1),
    }),
  );
  /** @param at milliseconds on the clock */
  const verdictAt = (at: number) =>
    verdictOf(health.state.value, queue.value, at, {
      over: budgets.value.filter((budget) => toneOf(budget) === 'bad').map(({ label }) => label),
      paused: now.state.value.value?.batches.flatMap(({ pausedReason }) => pausedReason ?? []) ?? [],
    });

  /** The newest projects first; the service lists them from the oldest on, so the last page is asked for. */
  let known = 0;
  async function readProjects(given: AbortSignal): Promise<{ items: Project[]; total: number }> {
    const offset = Math.max(0, known - PROJECTS_SHOWN);
    const { items, total } = await api.call('GET /api/projects', {
      query: { limit: PROJECTS_SHOWN, ...(offset > 0 && { offset }) },
      signal: given,
    });
    const before = known;
    known = total;
    if (total > offset + items.length || (total < before && offset > 0)) return readProjects(given);
    return { items: items.toReversed(), total };
  }

  /** Ends of batches that this page saw open, told once each. */
  const open = new Map<string, NowBatch>();
  function tellEnds(batches: readonly NowBatch[]): void {
    for (const each of batches) {
      if (!isOver(each)) open.set(each.id, each);
      else if (open.delete(each.id)) {
        const { completed, failed } = each.counts;
        polite.announce(WORDS.batches.ended(each.projectName, formatCount(completed), formatCount(failed)));
      }
    }
    const listed = new Set(batches.map(({ id }) => id));
    for (const id of open.keys()) if (!listed.has(id)) open.delete(id);
  }
  let failedBefore: number | null = null;
  function tellFailures({ batches }: NowReply): void {
    const failed = batches.reduce((sum, { counts }) => sum + counts.failed, 0);
    if (failedBefore !== null && failed > failedBefore) alert.announce(WORDS.failures.new(failed - failedBefore));
    failedBefore = failed;
  }
  let titleBefore = '';
  function tellVerdict(): void {
    const { tone, title, cause } = verdictAt(clock.now());
    if (title === titleBefore) return;
    const first = titleBefore === '';
    titleBefore = title;
    if (!first) (tone === 'bad' ? alert : polite).announce(`${title}. ${cause}`);
  }
  const follow = (): (() => void) =>
    effect(() => {
      const { value, at } = now.state.value;
      if (!value || at === null) return;
      together(() => {
        second.value = keepReading(series, value);
        failures.update(value.batches);
      });
      tellEnds(value.batches);
      tellFailures(value);
    });
  const followLatencies = (): (() => void) =>
    effect(() => {
      const { value } = endpoints.state.value;
      if (value) keepLatencies(series, Math.floor(Date.parse(value.timestamp) / 1000), value);
    });
  let unfollow = (): void => {};

  /** Changes a batch; the next reading shows what became of it. */
  async function control(id: string, action: BatchAction): Promise<void> {
    busy.value = new Set(busy.peek()).add(id);
    actionError.value = null;
    try {
      await api.call(`POST /api/batches/{id}/${action}`, { path: { id } });
      now.refresh();
    } catch (cause) {
      actionError.value = cause instanceof Error ? cause.message : String(cause);
    } finally {
      const left = new Set(busy.peek());
      left.delete(id);
      busy.value = left;
    }
  }
  return {
    now,
    health,
    summary,
    endpoints,
    projects,
    queue,
    series,
    second,
    /** How much time the charts show. */
    shown,
    cursor,
    baseline,
    budgets,
    failures,
    polite,
    alert,
    createError,
    actionError,
    /** Ids of batches that something is being asked of. */
    busy,
    verdictAt,
    control,
    takeBaseline: (): void => baseline.take(METRICS, (name) => series.median(name as MetricName, BASELINE_SECONDS)),
    async retry(row: Parameters<typeof failures.retry>[0]): Promise<void> {
      await failures.retry(row);
      now.refresh();
    },
    async createProject(name: string): Promise<void> {
      createError.value = null;
      try {
        await api.call('POST /api/projects', { body: { name } });
        projects.refresh();
      } catch (cause) {
        createError.value = cause instanceof Error ? cause.message : String(cause);
      }
    },
    /** Called each second, and when nothing was read: what is too old is told as well. */
    tellVerdict,
    /** Reads everything now: the page was hidden, or the line was lost. */
    catchUp: (): void => polls.forEach((each) => each.refresh()),
    start(): void {
      const ends = [follow(), followLatencies()];
      unfollow = () => ends.forEach((end) => end());
      polls.forEach((each) => each.start());
    },
    stop(): void {
      polls.forEach((each) => each.stop());
      unfollow();
      polite.stop();
      alert.stop();
    },
  };
}
