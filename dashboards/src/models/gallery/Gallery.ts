import { batch, computed, effect, signal } from '@preact/signals';
import { decodeIndex, type ImageCounts } from '#contract/index-format.ts';
import { IMAGE_STATUSES } from '#contract/names.ts';
import { createAnnouncer } from './Announcer.ts';
import { createBatches } from '../Batches.ts';
import { createBatchActions } from './BatchActions.ts';
import { createCells } from './Cells.ts';
import { createDwell } from './Dwell.ts';
import { createForecast } from './Forecast.ts';
import type { GalleryDeps } from './gallery-deps.ts';
import { createGalleryFeed } from './GalleryFeed.ts';
import { createGrid } from './Grid.ts';
import { createImageStore } from '../ImageStore.ts';
import { createListView } from '../ListView.ts';
import { createLiveRegion } from '../LiveRegion.ts';
import { createNames } from './Names.ts';
import { createOverlays } from './Overlays.ts';
import { leaveGallery, returnToGallery } from '../place.ts';
import { createResultFetcher } from './ResultFetcher.ts';
import { createResultSource } from './ResultSource.ts';
import { createSelection } from './Selection.ts';
import { createThumbnails } from './Thumbnails.ts';
import { createToasts } from './Toasts.ts';
import { createTrial, spreadPlaces } from './Trial.ts';
import { createUploads } from './Uploads.ts';
import { createWholeList } from './WholeList.ts';

export type Gallery = ReturnType<typeof createGallery>;

const sumOf = (counts: ImageCounts): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Everything behind the gallery page; components only read its signals and call its actions. */
export function createGallery(deps: GalleryDeps) {
  const { api, clock, projectId, hooks, storage } = deps;
  const store = createImageStore();
  const grid = createGrid();
  const toasts = createToasts();
  const live = createLiveRegion(clock);
  const whole = createWholeList();
  const counts = signal<ImageCounts>(store.counts());
  /** Of the images whose current result is here: how many there are, and how many of them the model does not know the like of. */
  const looked = signal({ seen: 0, unlike: 0 });
  const imageCount = (): number => sumOf(counts.peek());
  let ended = false;

  const batches = createBatches({
    onSeen: (seen, isLive) => isLive && toasts.add(seen.id),
    onEnded: (over) => {
      ended = true;
      fetcher.batchEnded(over.id);
      announcer.ended(over);
    },
  });
  const { source, cache } = createResultSource({
    api,
    store,
    visible: () => indexesBetween(grid.range.peek().visibleFirst, grid.range.peek().visibleLast),
    batchOpen: () => batches.open.peek(),
    bulk: deps.bulkResults ?? true,
    onResults: (indexes) => {
      hooks?.beforePaint?.();
      cells.paint(indexes);
    },
    onRead: noteResults,
  });
  const fetcher = createResultFetcher(source, clock);
  const thumbnails = createThumbnails<ImageBitmap>({
    source: deps.thumbnails,
    onReady: (imageId) => cells.paintSoon(store.find(imageId)),
  });
  const overlays = createOverlays({
    post: deps.raster.post,
    inPage: () => cells.size,
    onReady: (imageId) => cells.paintSoon(store.find(imageId)),
    onAll: () => cells.paintWaiting(),
  });
  deps.raster.onReply((replies) => overlays.receive(replies));
  const names = createNames({
    read: readNames,
    onReady: (ids) => batch(() => ids.forEach((id) => cells.refresh(store.find(id)))),
  });
  const cells = createCells({
    store,
    frames: deps.frames,
    result: cache.get,
    thumbnail: thumbnails.get,
    overlay: (imageId, mark, size) => overlays.get(imageId, mark, size),
    staleOverlay: overlays.getAny,
    requestOverlay: (imageId, view, size) => overlays.request(imageId, view, size),
    name: names.get,
    calm: () => dwell.calm,
    present: deps.present,
  });
  const dwell = createDwell({
    clock,
    frames: deps.frames,
    onSettled: (indexes) => {
      thumbnails.want(indexes.map(store.idAt));
      batch(() => cells.settle(indexes));
      if (byName()) void names.want(grid.range.peek().visibleFirst, indexes.map(store.idAt));
    },
  });
  const feed = createGalleryFeed({ ...deps, store, batches, whole, onChange });
  const uploads = createUploads({ ...deps, send: deps.sendForm, onAccepted: feed.refresh });
  const actions = createBatchActions({
    api,
    projectId,
    batches,
    live,
    pickedIds: () => selection.ids(),
    onStart: (threshold) => forecast.started(threshold),
  });
  const trial = createTrial({
    batches,
    start: (imageIds, threshold) => actions.start({ imageIds, threshold }),
    cancel: (id) => actions.post(id, 'cancel'),
    look: (imageId, batchId) => {
      const i = store.find(imageId);
      if (batchId === null || !store.isOf(i, batchId)) return { status: 'queued', cells: null, unlike: false };
      const result = store.needsResult(i) || !store.isCompleted(i) ? undefined : cache.peek(imageId);
      return { status: store.statusAt(i), cells: result?.polygonCount ?? null, unlike: store.isUnlike(i) };
    },
  });
  const list = createListView({
    store,
    clock,
    readOrder: async (query) =>
      decodeIndex(await api.bytes('GET /api/projects/{id}/index', { path: { id: projectId }, query })),
    trialIds: () => trial.state.peek()?.ids ?? [],
    total: () => Math.max(store.count, imageCount()),
    onChange(length, known) {
      grid.count.value = length;
      grid.known.value = known;
    },
  });
  const selection = createSelection({
    store,
    indexAt,
    length: () => grid.count.peek(),
    onChange: (indexes) => batch(() => indexes.forEach((i) => cells.refresh(i))),
  });
  const forecast = createForecast({
    api,
    projectId,
    clock,
    busy: batches.open,
    threshold: actions.threshold,
    counts: computed(() => {
      const { completed, failed } = counts.value;
      const all = sumOf(counts.value);
      return { all, ended: completed + failed, picked: selection.count.value };
    }),
    pickedIds: () => selection.ids(),
  });
  const connection = computed(() => feed.socket.state.value);
  const announcer = createAnnouncer({ live, batches, connection, uploads, trial, looked });

  const byName = (): boolean => list.place.query !== '' || list.sort.peek().endsWith('name');
  /** The page of the service's list that stands in view: the same order, search and status as here. */
  async function readNames(offset: number, limit: number): Promise<{ id: string; name: string }[]> {
    const { sort, query: q, filter } = list.place;
    const status = IMAGE_STATUSES.find((each) => each === filter);
    const query = { sort, offset, limit, ...(q !== '' && { q }), ...(status && { status }) };
    return (await api.call('GET /api/projects/{id}/images', { path: { id: projectId }, query })).items;
  }
  /** Store index of the image at a place of the list as it is shown. */
  function indexAt(place: number): number {
    return list.view.peek()?.[place] ?? place;
  }
  function indexesBetween(first: number, last: number): number[] {
    return Array.from({ length: Math.max(0, last - first) }, (_, i) => indexAt(first + i));
  }
  function noteResults(): void {
    const { seenCount: seen, unlikeCount: unlike } = store;
    const before = looked.peek();
    if (before.seen !== seen || before.unlike !== unlike) looked.value = { seen, unlike };
    trial.changed();
  }
  function onChange(indexes: number[] | null): void {
    counts.value = feed.ahead.peek() ?? store.counts();
    list.changed(indexes === null);
    if (indexes) cells.paint(indexes);
    else {
      selection.refresh();
      cells.paintAll();
    }
    noteResults();
    announcer.progress();
    fetcher.wake();
    hooks?.afterEvents?.(ended);
    ended = false;
  }
  /** A few of the chosen images, or of those shown, evenly spread. */
  function tryFirst(): void {
    const among = selection.count.peek() > 0 ? store.selectPicked(list.view.peek()) : null;
    if (!among && whole.wait(tryFirst)) return;
    const places = spreadPlaces(among?.length ?? grid.count.peek());
    const ids = places.map((place) => store.idAt(among?.[place] ?? indexAt(place)));
    void actions.act(() => trial.open(ids, actions.threshold.peek()));
    list.setFilter('trial');
    grid.wantedTop.value = 0;
  }
  function jumpTo(place: number): void {
    whole.forget();
    if (place >= grid.known.peek() && whole.wait(() => jumpTo(place))) return;
    selection.moveTo(place);
    grid.wantedTop.value = grid.scrollTopFor(selection.active.peek());
  }
  let shownFirst = 0;
  const stopWatching = effect(() => {
    const { first, last, visibleFirst, visibleLast } = grid.range.value;
    void list.view.value;
    cells.keep(new Set(indexesBetween(first, last)));
    const { columns } = grid.metrics.peek();
    dwell.show(indexesBetween(visibleFirst, visibleLast), Math.abs(visibleFirst - shownFirst) / columns);
    shownFirst = visibleFirst;
    if (visibleLast > visibleFirst) fetcher.viewportChanged();
  });

  // All of a long list is wanted once what is in view stands there, or where its first images are not what is to be shown.
  const stopLooking = effect(() => {
    const { last, visibleFirst, visibleLast } = grid.range.value;
    if (!feed.ahead.value || visibleFirst === visibleLast) return;
    const { filter, sort, query } = list;
    const states = indexesBetween(visibleFirst, visibleLast).map((i) => cells.state(i).value);
    const right = states.every(({ status, drawnPolygons }) => status !== 'completed' || drawnPolygons !== null);
    const plain = filter.value === null && sort.value === 'createdAt' && query.value === '';
    if (right || !plain || last === store.count) whole.want();
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
    looked,
    list,
    whole,
    selection,
    trial,
    forecast,
    actions,
    indexAt,
    connection,
    resultError: fetcher.error,
    /** What the menu of exports is made from, once it is opened. */
    exporting: { api, clock, storage, projectId, batches, live, imageCount },
    async start(): Promise<void> {
      const left = returnToGallery(storage, projectId);
      list.restore(left ?? {});
      await feed.start(left === null);
      if (left) {
        selection.restore(left.picked ?? []);
        cells.paintAll();
        await list.retry();
        if ((left.active ?? -1) >= 0) selection.moveTo(left.active!);
        grid.wantedTop.value = left.scrollTop ?? null;
      }
      if (feed.load.peek() === 'ready') whole.arrived();
    },
    tryFirst,
    closeTrial(): void {
      trial.close();
      if (list.filter.peek() === 'trial') list.setFilter(null);
    },
    jumpTo,
    /** An image is opened: coming back finds the list as it is now. */
    leaveFor(place: number): void {
      leaveGallery(storage, {
        projectId,
        place: {
          ...list.place,
          scrollTop: grid.scrollTop.peek(),
          active: place,
          picked: selection.ids(),
        },
        opened: place,
        length: grid.count.peek(),
        idAt: (at) => store.idAt(indexAt(at)),
      });
    },
    stop(): void {
      stopWatching();
      stopLooking();
      for (const part of [feed, fetcher, dwell, live, thumbnails, overlays, list, names, announcer, forecast])
        part.stop();
    },
  };
}
