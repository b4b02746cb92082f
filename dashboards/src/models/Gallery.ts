import { batch, computed, effect, signal } from '@preact/signals';
import { IMAGE_STATUSES, type ImageStatus } from '#contract/names.ts';
import type { Api } from './api.ts';
import { createBatches, isOver, terminalOf } from './Batches.ts';
import { createCells } from './Cells.ts';
import type { Clock } from './clock.ts';
import { createDwell } from './Dwell.ts';
import type { Cursor, SocketLike } from './EventSocket.ts';
import type { FrameScheduler } from './frame-queue.ts';
import { createGalleryFeed } from './GalleryFeed.ts';
import { createGrid } from './Grid.ts';
import { createImageStore } from './ImageStore.ts';
import { createLiveRegion } from './LiveRegion.ts';
import { createOverlays, type RasterReply, type RasterRequest } from './Overlays.ts';
import { createResultFetcher } from './ResultFetcher.ts';
import { createResultSource } from './ResultSource.ts';
import { createThumbnails } from './Thumbnails.ts';
import { createToasts, toastText } from './Toasts.ts';
import { createUploads } from './Uploads.ts';

/** A filtered list that jumps ten times a second cannot be read. */
const FILTER_REFRESH_MS = 500;

export interface GalleryDeps {
  projectId: string;
  api: Api;
  clock: Clock;
  frames: FrameScheduler;
  random: () => number;
  openSocket: (cursor: Cursor) => SocketLike;
  loadThumbnail: (imageId: string, signal: AbortSignal) => Promise<ImageBitmap>;
  raster: {
    post: (request: RasterRequest, transfer: Transferable[]) => void;
    onReply: (listen: (reply: RasterReply) => void) => void;
  };
  /** False: the service has BULK_RESULTS=off, and results are fetched one by one. */
  bulkResults?: boolean;
  /** The self-test page blocks the main thread here; nobody else passes hooks. */
  hooks?: { afterEvents?: (batchEnded: boolean) => void; beforePaint?: () => void };
}
export type Gallery = ReturnType<typeof createGallery>;

/** Everything behind the gallery page; components only read its signals and call its actions. */
export function createGallery(deps: GalleryDeps) {
  const { api, clock, projectId, hooks } = deps;
  const store = createImageStore();
  const grid = createGrid();
  const toasts = createToasts();
  const live = createLiveRegion(clock);
  const counts = signal<Readonly<Record<ImageStatus, number>>>(readCounts());
  const filter = signal<ImageStatus | null>(null);
  /** Positions shown under a filter, or null for all. */
  const view = signal<Int32Array | null>(null);
  const actionError = signal<string | null>(null);
  let ended = false;
  let cancelFilter: (() => void) | null = null;

  const batches = createBatches({
    onSeen: (seen, isLive) => isLive && toasts.add(seen.id),
    onEnded: (over) => {
      ended = true;
      fetcher.batchEnded(over.id);
      live.announce(toastText(over));
    },
  });
  const { source, cache } = createResultSource({
    api,
    store,
    visible: () => positionsBetween(grid.range.peek().visibleFirst, grid.range.peek().visibleLast),
    batchOpen: () => batches.open.peek(),
    bulk: deps.bulkResults ?? true,
    onResults: (positions) => {
      hooks?.beforePaint?.();
      paint(positions);
    },
  });
  const fetcher = createResultFetcher(source, clock);
  const thumbnails = createThumbnails<ImageBitmap>({ load: deps.loadThumbnail, onReady: paintImage });
  const overlays = createOverlays({ post: deps.raster.post, onReady: paintImage });
  deps.raster.onReply((reply) => overlays.receive(reply));
  const cells = createCells({
    store,
    result: cache.get,
    thumbnail: thumbnails.get,
    overlay: (imageId, mark, size) => overlays.get(imageId, mark, size),
    staleOverlay: overlays.getAny,
    requestOverlay: (imageId, view, size) => overlays.request(imageId, view, size),
    calm: () => dwell.calm,
  });
  const dwell = createDwell({
    clock,
    frames: deps.frames,
    onSettled: (positions) => {
      thumbnails.want(positions.map(store.idAt));
      batch(() => cells.settle(positions));
    },
  });
  const feed = createGalleryFeed({ ...deps, store, batches, onChange });
  const uploads = createUploads({ api, projectId, onDone: feed.refresh });

  function readCounts(): Record<ImageStatus, number> {
    return Object.fromEntries(IMAGE_STATUSES.map((status) => [status, store.countOf(status)])) as Record<
      ImageStatus,
      number
    >;
  }
  /** Store index of the image at a position of the (filtered) grid. */
  const indexAt = (position: number): number => view.peek()?.[position] ?? position;
  function positionsBetween(first: number, last: number): number[] {
    return Array.from({ length: Math.max(0, last - first) }, (_, i) => indexAt(first + i));
  }
  function paint(positions: number[]): void {
    batch(() => {
      for (const i of positions) if (cells.has(i)) cells.paint(i);
    });
  }
  function paintImage(imageId: string): void {
    const i = store.find(imageId);
    if (cells.has(i)) cells.paint(i);
  }
  function onChange(positions: number[] | null): void {
    counts.value = readCounts();
    if (positions) for (const i of new Set(positions)) paint([i]);
    else cells.paintAll();
    if (filter.peek() === null) grid.count.value = store.count;
    else if (positions === null) applyFilter();
    else cancelFilter ??= clock.after(FILTER_REFRESH_MS, applyFilter);
    announceProgress();
    fetcher.wake();
    hooks?.afterEvents?.(ended);
    ended = false;
  }
  function applyFilter(): void {
    cancelFilter?.();
    cancelFilter = null;
    batch(() => {
      const status = filter.peek();
      view.value = status === null ? null : store.select(status);
      grid.count.value = view.value?.length ?? store.count;
    });
  }
  let announcedQuarter = 0;
  function announceProgress(): void {
    const newest = batches.newest.peek();
    if (!newest || isOver(newest) || newest.total === 0) return void (announcedQuarter = 0);
    const quarter = Math.floor((terminalOf(newest.counts) / newest.total) * 4);
    if (quarter <= announcedQuarter) return;
    announcedQuarter = quarter;
    live.announce(`${quarter * 25} percent done`);
  }
  async function act(work: () => Promise<void>): Promise<void> {
    actionError.value = null;
    try {
      await work();
    } catch (cause) {
      actionError.value = cause instanceof Error ? cause.message : String(cause);
    }
  }
  let link: 'new' | 'live' | 'lost' = 'new';
  const stopListening = effect(() => {
    const state = feed.socket.state.value;
    if (state === 'waiting' && link === 'live') {
      link = 'lost';
      live.announce('The connection to the service is lost');
    } else if (state === 'live') {
      if (link === 'lost') live.announce('Connected again');
      link = 'live';
    }
  });
  let shownFirst = 0;
  const stopWatching = effect(() => {
    const { first, last, visibleFirst, visibleLast } = grid.range.value;
    void view.value;
    cells.keep(new Set(positionsBetween(first, last)));
    const { columns } = grid.metrics.peek();
    dwell.show(positionsBetween(visibleFirst, visibleLast), Math.abs(visibleFirst - shownFirst) / columns);
    shownFirst = visibleFirst;
    fetcher.viewportChanged();
  });

  return {
    projectId,
    store,
    grid,
    cells,
    batches,
    toasts,
    live,
    feed,
    uploads,
    counts,
    filter,
    view,
    actionError,
    indexAt,
    resultError: fetcher.error,
    connection: computed(() => feed.socket.state.value),
    start: () => feed.start(),
    setFilter(status: ImageStatus | null): void {
      filter.value = status;
      applyFilter();
    },
    segmentAll: (threshold: number) =>
      act(async () => {
        const created = await api.call('POST /api/projects/{id}/batches', {
          path: { id: projectId },
          body: { all: true, threshold },
        });
        batches.upsert(created);
        live.announce(`Batch of ${created.total} images started`);
      }),
    control: (batchId: string, action: 'pause' | 'resume' | 'cancel') =>
      act(async () => {
        await api.call(`POST /api/batches/{id}/${action}`, { path: { id: batchId } });
      }),
    stop(): void {
      stopWatching();
      stopListening();
      for (const part of [feed, fetcher, dwell, live, thumbnails, overlays]) part.stop();
      cancelFilter?.();
    },
  };
}
