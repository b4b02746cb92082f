import { signal } from '@preact/signals';
import type { Clock } from '../clock.ts';

/** While a batch runs, visible results are asked for after 0.5, 2, 8, 32, … s: few calls, the first ones soon. */
const GROWTH = { firstMs: 500, factor: 4, longestMs: 120_000, forgetMs: 60_000 };
/** Scrolling: the first look and a jump after a rest ask at once; else wait until it rests, but not for ever. */
const REST = { debounceMs: 150, longestMs: 600 };
/** Events of a batch that has ended, as one answered from the cache has before they come: the first at once, then after 0.15, 0.3, 0.6, … s. */
const QUIET = { firstMs: 150, factor: 2, longestMs: 10_000 };
/** What one request can name, the visible first. Of a larger batch, what is visible is asked for by itself. */
export const MAX_IDS = 1000;
const RETRY = { firstMs: 1000, longestMs: 30_000 };

export interface ResultSource {
  /** Positions that are visible and completed without their current result. */
  visibleNeeds(): number[];
  /** Number of images of this batch, visible or not, that are completed without their current result. */
  batchNeeds(batchId: string): number;
  batchOpen(): boolean;
  fetchVisible(positions: number[]): Promise<void>;
  /** One byte-bounded page; the cursor of the next one, or null after the last. */
  fetchPage(batchId: string, cursor: string | null): Promise<string | null>;
  /** False once another page would push useful results out. */
  hasRoom(): boolean;
}

/** Before the next frame: a timer would wait until that has been laid out and painted. */
function atOnce(action: () => void): () => void {
  let wanted = true;
  queueMicrotask(() => {
    if (wanted) action();
  });
  return () => (wanted = false);
}

export type ResultFetcher = ReturnType<typeof createResultFetcher>;

/** Decides when results are asked for, one request at a time. What is asked for, and what becomes of it, is the source's. */
export function createResultFetcher(source: ResultSource, clock: Clock) {
  const error = signal<string | null>(null);
  const ended: string[] = [];
  let running = false;
  let stopped = false;
  let again = false;
  let due: { at: number; cancel: () => void } | null = null;
  let viewportSince: number | null = null;
  let viewportChangedAt = -Infinity;
  let grown = 0;
  let quiet = 0;
  let failures = 0;
  let lastEventFetchAt = -Infinity;

  function schedule(delayMs: number, replace = false): void {
    const at = clock.now() + delayMs;
    if (stopped || (due && !replace && due.at <= at)) return;
    due?.cancel();
    const start = (): void => {
      due = null;
      viewportSince = null;
      if (running) again = true;
      else void run();
    };
    due = { at, cancel: delayMs > 0 ? clock.after(delayMs, start) : atOnce(start) };
  }
  function eventDelayMs(): number {
    if (clock.now() - lastEventFetchAt > GROWTH.forgetMs) grown = quiet = 0;
    if (source.batchOpen()) return Math.min(GROWTH.longestMs, GROWTH.firstMs * GROWTH.factor ** grown);
    return quiet && Math.min(QUIET.longestMs, QUIET.firstMs * QUIET.factor ** (quiet - 1));
  }
  async function run(): Promise<void> {
    if (running || stopped) return;
    running = true;
    again = false;
    try {
      await fetchEnded();
      const positions = source.visibleNeeds();
      // What completes while the ended batch was fetched waits for its own turn.
      if (positions.length > 0 && !due) await fetchVisible(positions);
      failures = 0;
      error.value = null;
    } catch (cause) {
      error.value = cause instanceof Error ? cause.message : String(cause);
      schedule(Math.min(RETRY.longestMs, RETRY.firstMs * 2 ** failures++), true);
      return;
    } finally {
      running = false;
    }
    if (ended.length > 0 || again) schedule(0, true);
    else if (source.visibleNeeds().length > 0) schedule(eventDelayMs());
  }
  async function fetchVisible(positions: number[]): Promise<void> {
    lastEventFetchAt = clock.now();
    if (source.batchOpen()) grown++;
    else quiet++;
    await source.fetchVisible(positions);
  }
  async function fetchEnded(): Promise<void> {
    for (let batchId = ended[0]; batchId !== undefined; batchId = ended[0]) {
      let cursor: string | null = null;
      const visible = source.batchNeeds(batchId) > MAX_IDS ? source.visibleNeeds() : [];
      if (visible.length > 0) await fetchVisible(visible);
      while (source.batchNeeds(batchId) > 0) {
        cursor = await source.fetchPage(batchId, cursor);
        if (cursor === null || !source.hasRoom()) break;
      }
      lastEventFetchAt = clock.now();
      ended.shift();
    }
  }
  return {
    error,
    /** Completions have arrived. */
    wake(): void {
      if (!running && !due && source.visibleNeeds().length > 0) schedule(eventDelayMs());
    },
    /** Other cells have become visible. */
    viewportChanged(): void {
      const now = clock.now();
      const rested = now - viewportChangedAt >= REST.longestMs;
      viewportChangedAt = now;
      viewportSince ??= now;
      schedule(rested ? 0 : Math.max(0, Math.min(REST.debounceMs, REST.longestMs - (now - viewportSince))), true);
    },
    batchEnded(batchId: string): void {
      ended.push(batchId);
      // Whoever starts the next one wants its first results as soon.
      if (!source.batchOpen()) grown = quiet = 0;
      schedule(0);
    },
    stop(): void {
      stopped = true;
      due?.cancel();
    },
  };
}
