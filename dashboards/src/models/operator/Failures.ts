import { computed, signal } from '@preact/signals';
import type { Failures as FailuresReply } from '#contract/batches.ts';
import type { NowBatch } from '#contract/now.ts';
import type { Api } from '../api.ts';
import type { Clock } from '../clock.ts';

/** The newest batches with failures, up to here: each costs a request when its count changes. */
const BATCHES_MAX = 12;
/** While a batch goes on failing its failures are read anew this often at most: each reading counts all of them. */
const EVERY_MS = 3000;

type Group = FailuresReply['groups'][number];
export interface FailureRow extends Group {
  /** `batch/code` */
  key: string;
  batch: NowBatch;
  /** The batch that tries these again, where the reading has it. */
  retry: NowBatch | null;
}
export interface FailureGroup {
  code: string;
  /** Images that nobody tries again. */
  count: number;
  rows: FailureRow[];
}

/** What failed in the batches that the page knows, by code, and trying it again. */
export function createFailures(deps: { api: Api; clock: Pick<Clock, 'now'> }) {
  const { api, clock } = deps;
  const batches = signal<readonly NowBatch[]>([]);
  const read = signal<ReadonlyMap<string, FailuresReply>>(new Map());
  const errors = signal<ReadonlyMap<string, string>>(new Map());
  const busy = signal<string | null>(null);
  /** When each batch was asked about, and the askings whose answer is not here yet. */
  const askedAt = new Map<string, number>();
  const asked = new Map<string, symbol>();
  /** Started here: the next reading may be older. */
  let made: NowBatch[] = [];

  const failing = (): NowBatch[] =>
    batches
      .peek()
      .filter(({ counts }) => counts.failed > 0)
      .toSorted((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, BATCHES_MAX);

  async function readOne(id: string): Promise<void> {
    if (asked.has(id) || clock.now() - (askedAt.get(id) ?? -EVERY_MS) < EVERY_MS) return;
    const asking = Symbol(id);
    asked.set(id, asking);
    askedAt.set(id, clock.now());
    try {
      const reply = await api.call('GET /api/batches/{id}/failures', { path: { id } });
      if (asked.get(id) !== asking) return;
      read.value = new Map(read.peek()).set(id, reply);
    } catch {
      // its batch is gone, or nobody answers: the next reading of the batches asks again
    } finally {
      if (asked.get(id) === asking) asked.delete(id);
    }
  }
  const groups = computed<FailureGroup[]>(() => {
    const byId = new Map(batches.value.map((batch) => [batch.id, batch]));
    const rows = [...read.value].flatMap(([id, { groups: found }]): FailureRow[] => {
      const batch = byId.get(id);
      if (!batch) return [];
      return found.map((group) => {
        const key = `${id}/${group.code}`;
        return { ...group, key, batch, retry: byId.get(group.retryId ?? '') ?? null };
      });
    });
    return [...Map.groupBy(rows, ({ code }) => code)]
      .map(([code, all]) => ({
        code,
        // what is tried again fails again in a row of its own, or not at all
        count: all.reduce((sum, { count, retryId }) => sum + (retryId === null ? count : 0), 0),
        rows: all.toSorted((a, b) => (a.batch.id < b.batch.id ? 1 : -1)),
      }))
      .toSorted((a, b) => b.count - a.count);
  });
  return {
    groups,
    errors,
    /** Key of the row whose retry is being asked for. */
    busy,
    total: computed(() => groups.value.reduce((sum, { count }) => sum + count, 0)),
    /** Takes the batches of a reading, and asks for the failures of those whose count or newest retry is another than the one known. */
    update(next: readonly NowBatch[]): void {
      batches.value = [...next, ...made.filter(({ id }) => !next.some((batch) => batch.id === id))];
      made = [];
      const wanted = failing();
      const known = read.peek();
      const kept = new Map(wanted.flatMap(({ id }) => (known.has(id) ? [[id, known.get(id)!] as const] : [])));
      if (kept.size !== known.size) read.value = kept;
      for (const id of askedAt.keys()) if (!wanted.some((batch) => batch.id === id)) askedAt.delete(id);
      for (const { id, counts } of wanted) {
        const told = known.get(id);
        const retries = next.filter(({ retryOf }) => retryOf === id).map((batch) => batch.id);
        const newest = retries.toSorted().at(-1);
        if (told?.total !== counts.failed || (newest && !told.groups.some(({ retryId }) => retryId === newest)))
          void readOne(id);
      }
    },
    /** Starts a new batch of a row's images. @returns it, or null where it was refused: `errors` says why */
    async retry({ key, batch, code }: FailureRow): Promise<string | null> {
      busy.value = key;
      const left = new Map(errors.peek());
      left.delete(key);
      errors.value = left;
      try {
        const reply = await api.call('POST /api/batches/{id}/retry', {
          path: { id: batch.id },
          body: { only: 'failed', code },
        });
        // shown at once, whatever an answer says that was asked for before
        asked.delete(batch.id);
        const known = read.peek().get(batch.id);
        const now = known?.groups.map((group) => (group.code === code ? { ...group, retryId: reply.id } : group));
        if (known && now) read.value = new Map(read.peek()).set(batch.id, { ...known, groups: now });
        const retry = { ...reply, projectName: batch.projectName };
        made.push(retry);
        batches.value = [...batches.peek(), retry];
        return retry.id;
      } catch (cause) {
        errors.value = new Map(errors.peek()).set(key, cause instanceof Error ? cause.message : String(cause));
        return null;
      } finally {
        busy.value = null;
      }
    },
  };
}
export type Failures = ReturnType<typeof createFailures>;
