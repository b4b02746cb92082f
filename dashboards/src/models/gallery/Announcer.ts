import { effect, type ReadonlySignal } from '@preact/signals';
import { isOver, terminalOf, type Batches, type BatchView } from '../Batches.ts';
import type { ConnectionState } from './EventSocket.ts';
import { formatCount } from '../format.ts';
import type { LiveRegion } from '../LiveRegion.ts';
import { toastText } from './Toasts.ts';
import { trialWords, type Trial } from './Trial.ts';
import { uploadWords, type Uploads } from './Uploads.ts';
import { WORDS } from '../../words/gallery.ts';

interface Looked {
  seen: number;
  unlike: number;
}
/** How many of the results that were read are of images that the model does not know the like of. */
export function unlikeWords({ seen, unlike }: Looked): string {
  return WORDS.segment.unlike(unlike, formatCount(seen));
}

/** What is said of what goes on to those who do not see the page: all of it in one live region. */
export function createAnnouncer(deps: {
  live: LiveRegion;
  batches: Batches;
  connection: ReadonlySignal<ConnectionState>;
  uploads: Uploads;
  trial: Trial;
  looked: ReadonlySignal<Looked>;
}) {
  const { live, batches, connection, uploads, trial, looked } = deps;
  let announcedQuarter = 0;
  let link: 'new' | 'live' | 'lost' = 'new';
  let uploading = false;
  let tried: readonly string[] | null = null;
  let warned = false;
  const stopUploads = effect(() => {
    const state = uploads.state.value;
    if (uploading && !state.active) live.announce(uploadWords(state), true);
    uploading = state.active;
  });
  const stopTrial = effect(() => {
    const tally = trial.tally.value;
    if (!tally || tally.done + tally.failed < tally.ids.length) return void (tried = null);
    if (tried !== tally.ids) live.announce(trialWords(tally));
    tried = tally.ids;
  });
  const stopLooked = effect(() => {
    const { unlike } = looked.value;
    if (unlike > 0 && !warned) live.announce(unlikeWords(looked.value));
    warned = unlike > 0;
  });
  const stopLink = effect(() => {
    const state = connection.value;
    if (state === 'waiting' && link === 'live') {
      link = 'lost';
      live.announce(WORDS.connection.lost);
    } else if (state === 'live') {
      if (link === 'lost') live.announce(WORDS.connection.back);
      link = 'live';
    }
  });
  return {
    progress(): void {
      const newest = batches.newest.peek();
      if (!newest || isOver(newest) || newest.total === 0) return void (announcedQuarter = 0);
      const quarter = Math.floor((terminalOf(newest.counts) / newest.total) * 4);
      if (quarter <= announcedQuarter) return;
      announcedQuarter = quarter;
      live.announce(WORDS.batch.percent(quarter * 25));
    },
    /** Completion is told at once; failures are an alert. */
    ended(over: BatchView): void {
      const { failed } = over.counts;
      if (failed > 0) live.alarm(WORDS.batch.failures(formatCount(failed), formatCount(over.total)));
      live.announce(toastText(over), true);
    },
    stop(): void {
      for (const end of [stopUploads, stopTrial, stopLooked, stopLink]) end();
    },
  };
}
