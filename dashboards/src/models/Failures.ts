import { computed, signal } from '@preact/signals';
import type { Failures as FailuresReply } from '#contract/batches.ts';
import type { NowBatch } from '#contract/now.ts';
import type { Api } from './api.ts';
import type { Storage } from './Baseline.ts';
import type { Clock } from './clock.ts';

/** The newest batches with failures, up to here: each costs a request when its count changes. */
const BATCHES_MAX = 12;
/** While a batch goes on failing its failures are read anew this often at most: each reading counts all of them. */
const EVERY_MS = 3000;

type Group = FailuresReply['groups'][number];
export interface FailureRow extends Group {
  /** `batch/code` */
  key: string;
  batch: NowBatch;
  /** The batch that tries these again, where this page started it, or where it tries all that failed. */
  retry: NowBatch | null;
}
export interface FailureGroup {
  code: string;
  /** Images that nobody tries again. */
  count: number;
  rows: FailureRow[];
}

/** Kept in this browser, so that a page opened anew does not offer what was asked for already. */
const RETRIES_KEY = 'segbench.retries';
const RETRIES_MAX = 100;

function readRetries(storage: Storage | null): Map<string, string> {
  try {
    const kept: unknown = JSON.parse(storage?.getItem(RETRIES_KEY) ?? '[]');
    const isPair = (pair: unknown): pair is [string, string] =>
      Array.isArray(pair) && pair.length === 2 && pair.every((part) => typeof part === 'string');
    return new Map(Array.isArray(kept) ? kept.filter(isPair) : []);
  } catch {
    return new Map();
  }
}
function keepRetries(storage: Storage | null, retries: ReadonlyMap<string, string>): void {
  try {
    storage?.setItem(RETRIES_KEY, JSON.stringify([...retries]));
  } catch {
    // full, or forbidden: it is known until the page goes
  }
}

/** What failed in the batches that the page knows, by code, and trying it again. */
export function createFailures(deps: { api: Api; clock: Pick<Clock, 'now'>; storage?: Storage | null }) {
  const { api, clock, storage = null } = deps;
  const batches = signal<readonly NowBatch[]>([]);
  const read = signal<ReadonlyMap<string, FailuresReply>>(new Map());
  /** Which retry was started for which row; `code` of a retry is known to who asked for it only. */
  const retries = signal<ReadonlyMap<string, string>>(readRetries(storage));
  const errors = signal<ReadonlyMap<string, string>>(new Map());
  const busy = signal<string | null>(null);
  /** When each batch was asked about, and those whose answer is not here yet. */
  const askedAt = new Map<string, number>();
  const asked = new Set<string>();

  const failing = (): NowBatch[] =>
    batches
      .peek()
      .filter(({ counts }) => counts.failed > 0)
      .toSorted((a, b) => (a.id < b.id ? 1 : -1))
      .slice(0, BATCHES_MAX);

  async function readOne(id: string): Promise<void> {
    if (asked.has(id) || clock.now() - (askedAt.get(id) ?? -EVERY_MS) < EVERY_MS) return;
    asked.add(id);
    askedAt.set(id, clock.now());
    try {
      const reply = await api.call('GET /api/batches/{id}/failures', { path: { id } });
      read.value = new Map(read.peek()).set(id, reply);
    } catch {
      // its batch is gone, or nobody answers: the next reading of the batches asks again
    } finally {
      asked.delete(id);
    }
  }
  const groups = computed<FailureGroup[]>(() => {
    const byId = new Map(batches.value.map((batch) => [batch.id, batch]));
    const rows = [...read.value].flatMap(([id, { groups: found }]): FailureRow[] => {
      const batch = byId.get(id);
      if (!batch) return [];
      const ofAll = batches.value.find(({ retryOf, total }) => retryOf === id && total === batch.counts.failed) ?? null;
      return found.map((group) => {
        const key = `${id}/${group.code}`;
        return { ...group, key, batch, retry: byId.get(retries.value.get(key) ?? '') ?? ofAll };
      });
    });
    return [...Map.groupBy(rows, ({ code }) => code)]
      .map(([code, all]) => ({
        code,
        // what is tried again fails again in a row of its own, or not at all
        count: all.reduce((sum, { count, retry }) => sum + (retry ? 0 : count), 0),
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
    /** Takes the batches of a reading, and asks for the failures of those whose count is another than the one known. */
    update(next: readonly NowBatch[]): void {
      batches.value = next;
      const wanted = failing();
      const known = read.peek();
      const kept = new Map(wanted.flatMap(({ id }) => (known.has(id) ? [[id, known.get(id)!] as const] : [])));
      if (kept.size !== known.size) read.value = kept;
      for (const id of askedAt.keys()) if (!wanted.some((batch) => batch.id === id)) askedAt.delete(id);
      for (const { id, counts } of wanted) if (known.get(id)?.total !== counts.failed) void readOne(id);
    },
    /** Starts a new batch of a row's images. @returns it, or null where it was refused: `errors` says why */
    async retry({ key, batch, code }: FailureRow): Promise<string | null> {
      busy.value = key;
      const left = new Map(errors.peek());
      left.delete(key);
      errors.value = left;
      try {
        const made = await api.call('POST /api/batches/{id}/retry', {
          path: { id: batch.id },
          body: { only: 'failed', code },
        });
        retries.value = new Map([...retries.peek(), [key, made.id] as const].slice(-RETRIES_MAX));
        keepRetries(storage, retries.peek());
        // shown at once; the next reading has it too
        batches.value = [...batches.peek(), { ...made, projectName: batch.projectName }];
        return made.id;
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
