import { computed, signal } from '@preact/signals';
import type { Run, RunDetail, RunsReply } from '#contract/runs.ts';
import type { Api } from '../api.ts';
import { ApiError } from '../api.ts';

/** The newest of them: a run a quarter of an hour for two days. */
const RUNS_SHOWN = 200;

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** The runs of the bench, what of them is looked at, and which two are to be compared. */
export function createRunList({ api }: { api: Api }) {
  const reply = signal<RunsReply | null>(null);
  const error = signal<string | null>(null);
  const scenario = signal('');
  const metric = signal('');
  /** Ids, in the order in which they were chosen: two at most, the third takes the first one's place. */
  const chosen = signal<readonly string[]>([]);
  const runs = computed<readonly Run[]>(() => reply.value?.items ?? []);
  return {
    reply,
    error,
    scenario,
    metric,
    chosen,
    runs,
    scenarios: computed(() => [...new Set(runs.value.map((run) => run.scenario))].toSorted()),
    shown: computed(() => runs.value.filter((run) => scenario.value === '' || run.scenario === scenario.value)),
    choose(id: string, wanted: boolean): void {
      const others = chosen.value.filter((each) => each !== id);
      chosen.value = wanted ? [...others, id].slice(-2) : others;
    },
    /** The chosen two, the older one first; null before there are two. */
    pair: computed(() => {
      const two = runs.value.filter(({ id }) => chosen.value.includes(id));
      const [now, base] = two.toSorted((a, b) => (a.startedAt < b.startedAt ? 1 : -1));
      return base && now ? { base: base.id, now: now.id } : null;
    }),
    async load(): Promise<void> {
      try {
        reply.value = await api.call('GET /api/runs', { query: { limit: RUNS_SHOWN } });
        error.value = null;
      } catch (cause) {
        error.value = messageOf(cause);
      }
    },
  };
}
export type RunList = ReturnType<typeof createRunList>;

/** Some runs by their ids, all or none. */
export function createRuns({ api, ids }: { api: Api; ids: readonly string[] }) {
  const runs = signal<readonly RunDetail[] | null>(null);
  const error = signal<string | null>(null);
  /** One of them is not there, and asking again does not help. */
  const missing = signal(false);
  return {
    runs,
    error,
    missing,
    async load(): Promise<void> {
      try {
        runs.value = await Promise.all(ids.map((id) => api.call('GET /api/runs/{id}', { path: { id } })));
        error.value = null;
      } catch (cause) {
        missing.value = cause instanceof ApiError && [400, 404].includes(cause.statusCode);
        error.value = missing.value ? null : messageOf(cause);
      }
    },
  };
}
