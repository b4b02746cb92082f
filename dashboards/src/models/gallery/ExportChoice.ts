import { computed, effect, signal } from '@preact/signals';
import type { Batch } from '#contract/batches.ts';
import type { ReplyOf } from '#contract/client.ts';
import type { Api } from '../api.ts';
import { isOver, terminalOf, type Batches, type BatchView } from '../Batches.ts';
import { formatCount, formatMoment, formatThreshold } from '../format.ts';
import { TRIAL_IMAGES } from './Trial.ts';
import { WORDS } from '../../words/exports.ts';
import { WORDS as GALLERY } from '../../words/gallery.ts';

/** Of a project's batches the newest; what is older has the interface. */
const BATCHES_READ = 50;
const SCOPE = 'read';

type Who = ReplyOf<'GET /api/session'>;
export type BatchKind = keyof typeof WORDS.kinds;

/** A batch as it was listed, with what events have told since. */
const asSeen = (listed: Batch, seen: BatchView | undefined): Batch =>
  seen && !isOver(listed) ? { ...listed, status: seen.status, counts: seen.counts } : listed;

/** The service does not know which batch was a trial; of a larger project, a batch of as many images as a trial takes is called one. */
export function kindOf({ retryOf, total }: Pick<Batch, 'retryOf' | 'total'>, imageCount: number): BatchKind {
  if (retryOf !== null) return 'retry';
  return total === TRIAL_IMAGES && imageCount > TRIAL_IMAGES ? 'trial' : 'whole';
}

/** The newest that is over and neither a trial nor a retry; else the newest that is over; else the newest. `newestFirst`. */
export function usualBatch(newestFirst: readonly Batch[], imageCount: number): Batch | null {
  const over = newestFirst.filter(isOver);
  return over.find((batch) => kindOf(batch, imageCount) === 'whole') ?? over[0] ?? newestFirst[0] ?? null;
}

export function batchWords(batch: Batch, imageCount: number): string {
  const { createdAt, total, threshold, status } = batch;
  const images = GALLERY.images(total);
  const state = status === 'cancelled' ? WORDS.cancelled : isOver(batch) ? '' : WORDS.notOver;
  return `${WORDS.about(formatMoment(createdAt), images, formatThreshold(threshold))}${WORDS.kinds[kindOf(batch, imageCount)]}${state}`;
}

/** What a file of this batch will lack; null where it lacks nothing. */
export function batchNote(batch: Batch): string | null {
  const { counts, total } = batch;
  if (!isOver(batch))
    return terminalOf(counts) === 0
      ? WORDS.notes.none
      : WORDS.notes.partly(formatCount(counts.completed), formatCount(total));
  const without = total - counts.completed;
  if (without === 0) return null;
  return counts.completed === 0 ? WORDS.notes.nothing : WORDS.notes.without(GALLERY.images(without));
}

/** Which batch is exported, and whether whoever is signed in may. */
export function createExportChoice(deps: {
  api: Api;
  projectId: string;
  batches: Pick<Batches, 'order' | 'get'>;
  imageCount: () => number;
}) {
  const { api, projectId, batches } = deps;
  const who = signal<Who | null>(null);
  const listed = signal<readonly Batch[] | null>(null);
  const error = signal<string | null>(null);
  /** What a person chose, and what was offered when the menu was opened: it does not change under the pointer. */
  const picked = signal<string | null>(null);
  const offered = signal<string | null>(null);
  let reading = false;
  let again = false;

  async function readOnce(): Promise<void> {
    try {
      who.value = who.peek() ?? (await api.call('GET /api/session'));
      if (!who.peek()!.scopes.includes(SCOPE)) return;
      const query = { limit: BATCHES_READ };
      const { items } = await api.call('GET /api/projects/{id}/batches', { path: { id: projectId }, query });
      listed.value = items;
      offered.value ??= usualBatch(items, deps.imageCount())?.id ?? null;
      error.value = null;
    } catch (cause) {
      error.value = cause instanceof Error ? cause.message : String(cause);
    }
  }
  /** Batches come in rows when a page is loaded: one reading after the last of them is enough. */
  async function read(): Promise<void> {
    again = true;
    if (reading) return;
    reading = true;
    while (again) {
      again = false;
      await readOnce();
    }
    reading = false;
  }
  const all = computed(() => listed.value?.map((batch) => asSeen(batch, batches.get(batch.id)?.value)) ?? null);
  const find = (id: string | null): Batch | undefined => all.value?.find((batch) => batch.id === id);
  return {
    /** Newest first; null until they are read. */
    all,
    batch: computed((): Batch | null => find(picked.value) ?? find(offered.value) ?? null),
    /** Whose key lacks the scope, with what it has. */
    refused: computed((): Who | null => (who.value?.scopes.includes(SCOPE) === false ? who.value : null)),
    error,
    read,
    pick(id: string): void {
      picked.value = id;
    },
    /** Words of a batch that is listed here. */
    about: (batchId: string): string | null => {
      const batch = find(batchId);
      return batch ? batchWords(batch, deps.imageCount()) : null;
    },
    imageCount: deps.imageCount,
    /** Reads now, and again whenever another batch is known, until the returned function is called. */
    look(): () => void {
      offered.value = null;
      return effect(() => {
        void batches.order.value;
        void read();
      });
    },
  };
}
export type ExportChoice = ReturnType<typeof createExportChoice>;
