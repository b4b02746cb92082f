import { computed, effect, signal, type ReadonlySignal, type Signal } from '@preact/signals';
import type { BodyOf } from '#contract/client.ts';
import type { ForecastReply } from '#contract/forecasts.ts';
import type { Api } from '../api.ts';
import type { Clock } from '../clock.ts';
import { BATCH_IDS } from './Selection.ts';

/** Uploads, clicks and a slider come in rows; the last one counts. */
const QUIET_MS = 400;

/**
 * What a batch of the chosen images, or of all, would take. It is asked for when something is left to segment and no batch runs here,
 * and never while one does: an answer that is old by the next event helps nobody.
 */
export function createForecast(deps: {
  api: Api;
  projectId: string;
  clock: Clock;
  /** A batch of this project runs or waits. */
  busy: ReadonlySignal<boolean>;
  threshold: Signal<number>;
  /** Images of the project, those that a batch has ended, and those chosen. */
  counts: ReadonlySignal<{ all: number; ended: number; picked: number }>;
  pickedIds: () => string[];
}) {
  const reply = signal<ForecastReply | null>(null);
  let cancel: (() => void) | null = null;
  let turn = 0;

  /** What an answer would be for; null where none is wanted. */
  const wanted = computed((): string | null => {
    const { all, ended, picked } = deps.counts.value;
    const threshold = deps.threshold.value;
    if (all === 0 || deps.busy.value || picked > BATCH_IDS) return null;
    return picked === 0 && ended === all && threshold === usual ? null : `${all}/${picked}/${threshold}`;
  });
  /** The threshold of the last batch that was started here, else the one that the page began with. */
  let usual = deps.threshold.peek();

  async function ask(): Promise<void> {
    const mine = ++turn;
    const { picked } = deps.counts.peek();
    const threshold = deps.threshold.peek();
    const body: BodyOf<'POST /api/projects/{id}/forecast'> =
      picked > 0 ? { imageIds: deps.pickedIds(), threshold } : { all: true, threshold };
    const answer = await deps.api
      .call('POST /api/projects/{id}/forecast', { path: { id: deps.projectId }, body })
      .catch(() => null); // a page without a forecast is as good as before; what is wrong with the line, others tell
    if (mine === turn) reply.value = answer;
  }
  const stopWatching = effect(() => {
    const key = wanted.value;
    cancel?.();
    turn++;
    reply.value = null;
    cancel = key === null ? null : deps.clock.after(QUIET_MS, () => void ask());
  });
  return {
    reply,
    /** A batch was started at this threshold: the same images at the same one are no question any more. */
    started(threshold: number): void {
      usual = threshold;
    },
    stop(): void {
      stopWatching();
      cancel?.();
      turn++;
    },
  };
}
export type ForecastModel = ReturnType<typeof createForecast>;
