import { computed, signal } from '@preact/signals';
import { isOver, type Batches, type BatchView } from '../Batches.ts';
import { formatCount, formatMean, formatThreshold } from '../format.ts';
import { WORDS } from '../../words/gallery.ts';

const W = WORDS.trial;

/** Enough to see whether a threshold does for the rest; a few seconds on one core. */
export const TRIAL_IMAGES = 12;

/** `count` of `length` places, evenly spread: a plate is rarely alike from end to end. */
export function spreadPlaces(length: number, count = TRIAL_IMAGES): number[] {
  const taken = Math.min(length, count);
  return Array.from({ length: taken }, (_, k) => Math.floor(((k + 0.5) * length) / taken));
}

export interface TrialTally {
  ids: readonly string[];
  threshold: number;
  done: number;
  failed: number;
  cells: number;
  unlike: number;
}

/** A few images at a threshold, again at another, before the whole run. */
export function createTrial(deps: {
  batches: Batches;
  start: (imageIds: string[], threshold: number) => Promise<BatchView>;
  cancel: (batchId: string) => Promise<void>;
  /** What is known of an image in this batch: its cells once that result is here. */
  look: (imageId: string, batchId: string | null) => { status: string; cells: number | null; unlike: boolean };
}) {
  const state = signal<{ ids: string[]; threshold: number; batchId: string | null } | null>(null);
  const changes = signal(0);
  let turn = 0;

  async function run(ids: string[], threshold: number): Promise<void> {
    const mine = ++turn;
    const before = state.peek()?.batchId ?? null;
    state.value = { ids, threshold, batchId: null };
    const old = before === null ? null : deps.batches.get(before)?.peek();
    if (old && !isOver(old)) await deps.cancel(old.id);
    if (mine !== turn) return;
    const created = await deps.start(ids, threshold);
    if (mine === turn && state.peek()) state.value = { ids, threshold, batchId: created.id };
  }
  return {
    state,
    open: (ids: string[], threshold: number): Promise<void> => run(ids, threshold),
    /** The same images at another threshold; nothing when there is no trial, or it has this one. */
    async again(threshold: number): Promise<void> {
      const now = state.peek();
      if (now && now.threshold !== threshold) await run(now.ids, threshold);
    },
    close(): void {
      turn++;
      state.value = null;
    },
    /** Events or results have come. */
    changed(): void {
      if (state.peek()) changes.value++;
    },
    tally: computed((): TrialTally | null => {
      void changes.value;
      const now = state.value;
      if (!now) return null;
      const seen = now.ids.map((id) => deps.look(id, now.batchId));
      return {
        ids: now.ids,
        threshold: now.threshold,
        done: seen.filter(({ cells }) => cells !== null).length,
        failed: seen.filter(({ status }) => status === 'failed').length,
        cells: seen.reduce((sum, { cells }) => sum + (cells ?? 0), 0),
        unlike: seen.filter(({ unlike }) => unlike).length,
      };
    }),
  };
}
export type Trial = ReturnType<typeof createTrial>;

export function trialWords({ ids, threshold, done, failed, cells, unlike }: TrialTally): string {
  const { length } = ids;
  const tried = W.at(WORDS.images(length), formatThreshold(threshold));
  const faults = failed > 0 ? W.failed(formatCount(failed)) : '';
  if (done === 0) return `${W.trying(tried)}${faults}`;
  const found = W.found(formatCount(cells), formatMean(cells / done));
  const strange = unlike > 0 ? W.unlike(unlike) : '';
  const progress = done + failed < length ? W.some(tried, formatCount(done)) : W.tried(tried);
  return `${progress}${found}${faults}${strange}`;
}
