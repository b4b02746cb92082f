import { signal } from '@preact/signals';
import type { EventsFrame, SnapshotFrame } from '#contract/events.ts';
import { countsIn, decodeIndex, IMAGE_COUNTS, type ImageCounts, type ProjectIndex } from '#contract/index-format.ts';
import { addressOf } from '#contract/client.ts';
import type { Project } from '#contract/images.ts';
import type { Api } from '../api.ts';
import type { Batches } from '../Batches.ts';
import type { Clock } from '../clock.ts';
import { createEventSocket, type Cursor, type SocketLike } from './EventSocket.ts';
import { createFrameQueue, type FrameScheduler } from './frame-queue.ts';
import type { ImageStore } from '../ImageStore.ts';
import type { WholeList } from './WholeList.ts';

/** New images appear at most this often while an upload runs; more images, more patience. */
const RELOAD_MS = { least: 500, perImage: 0.02 };
/** Open batches and the latest closed ones; older history is of no use to this page. */
const BATCHES_READ = 20;

/** More than a screen has. */
const FIRST_IMAGES = 256;
/** So long all of a long list waits for the first screen. */
const WHOLE_LIST_MS = 1000;
/** Where the socket begins at the index’s own number, a kept one will do that lacks this many events: one frame. */
const KEPT = { behind: 500 };

/** Not the index itself: it has megabytes, and a cursor is kept. */
const cursorOf = ({ epoch, seq }: ProjectIndex): Cursor => ({ epoch, seq });

export type LoadState = 'loading' | 'ready' | 'failed';

/** Brings a project into the store and keeps it there: index first, then events from the index's number on. */
export function createGalleryFeed(deps: {
  api: Api;
  clock: Clock;
  frames: FrameScheduler;
  random: () => number;
  openSocket: (cursor: Cursor) => SocketLike;
  projectId: string;
  store: ImageStore;
  batches: Batches;
  whole: Pick<WholeList, 'wanted' | 'want'>;
  /** Positions whose image changed, or null when everything may have. */
  onChange: (positions: number[] | null) => void;
}) {
  const { api, clock, store, batches, projectId, whole } = deps;
  const load = signal<LoadState>('loading');
  const error = signal<string | null>(null);
  const project = signal<Project | null>(null);
  /** How many images there are while only the first of them are known; null once all are. */
  const ahead = signal<ImageCounts | null>(null);
  let loading = false;
  /** Frames that arrive while an index is on its way, to be applied on top of it. */
  let recent: EventsFrame[] = [];
  let cancelReload: (() => void) | null = null;
  let stopped = false;
  /** The first reading of everything, and that of the batches: a frame must find those known that ended long ago. */
  let started: Promise<unknown> = Promise.resolve();
  let listed: Promise<unknown> = started;

  const queue = createFrameQueue<EventsFrame>({ frames: deps.frames, apply: applyFrames });
  const socket = createEventSocket({
    open: deps.openSocket,
    clock,
    random: deps.random,
    onEvents: (frame) => void listed.then(() => queue.push(frame)),
    onReset: (snapshot) => void reset(snapshot),
    onOpen: () => void readBatches(),
    // A refused socket does not say why; a plain request does (signed out, project gone).
    onLost: () => void readProject().catch(() => {}),
  });

  function applyFrames(frames: EventsFrame[]): void {
    if (loading) recent.push(...frames);
    const changed: number[] = [];
    let unknown = false;
    for (const frame of frames) {
      for (const event of frame.events) {
        const i = store.apply(event);
        if (i >= 0) changed.push(i);
        else if (i === -1) unknown = true;
      }
      for (const batch of frame.batches) batches.upsert(batch);
    }
    if (unknown && loading) whole.want();
    else if (unknown) reloadSoon();
    deps.onChange(changed);
    const traced = frames.findLast(({ events }) => events.some(({ traceparent }) => traceparent !== undefined));
    // in the next frame this one has been painted
    if (traced) deps.frames.requestFrame(() => socket.shown(traced.to));
  }
  function reloadSoon(): void {
    cancelReload ??= clock.after(RELOAD_MS.least + store.count * RELOAD_MS.perImage, () => {
      cancelReload = null;
      void reload(() => false).catch(() => reloadSoon());
    });
  }
  const readIndex = async (query: { behind?: number }): Promise<ProjectIndex> =>
    decodeIndex(await api.bytes('GET /api/projects/{id}/index', { path: { id: projectId }, query }));
  async function readFirst(): Promise<{ first: ProjectIndex; counts: ImageCounts }> {
    const query = { first: FIRST_IMAGES, ...KEPT };
    const reply = await api.request(addressOf('GET /api/projects/{id}/index', { path: { id: projectId }, query }));
    const counts = countsIn(reply.headers.get(IMAGE_COUNTS));
    return { first: decodeIndex(new Uint8Array(await reply.arrayBuffer())), counts };
  }
  /** The first images of a long list, and the socket. @returns what is left to do: all of it, and where the socket must (re)start */
  async function begin(): Promise<() => Promise<Cursor | null>> {
    const { first, counts } = await readFirst();
    const isPart = first.count === FIRST_IMAGES;
    store.load(first, true);
    ahead.value = isPart ? counts : null;
    deps.onChange(null);
    if (!isPart) return async () => cursorOf(first);
    keepFrames();
    clock.after(WHOLE_LIST_MS, whole.want);
    if (!stopped) socket.start(cursorOf(first));
    return async () => {
      await whole.wanted;
      if (stopped) return null;
      const all = await reload(({ epoch, seq }) => epoch !== first.epoch || seq !== first.seq, KEPT);
      return all.epoch === first.epoch && all.seq >= first.seq ? null : all;
    };
  }
  function keepFrames(): void {
    if (!loading) recent = [];
    loading = true;
  }
  /** @returns where the events go on */
  async function reload(missedEvents: (index: Cursor) => boolean, query: { behind?: number } = {}): Promise<Cursor> {
    keepFrames();
    try {
      const index = await readIndex(query);
      ahead.value = null;
      store.load(index, missedEvents(index));
      const late = recent;
      loading = false;
      deps.onChange(null);
      if (late.length > 0) applyFrames(late);
      return cursorOf(index);
    } finally {
      loading = false;
    }
  }
  async function reset(snapshot: SnapshotFrame | null): Promise<void> {
    queue.flush();
    whole.want();
    await started;
    try {
      const cursor = await reload(() => true);
      for (const batch of snapshot?.batches ?? []) batches.upsert(batch, true);
      if (!stopped) socket.start(cursor);
    } catch {
      if (!stopped) clock.after(2000, () => void reset(snapshot));
    }
  }
  async function readProject(): Promise<void> {
    project.value = await api.call('GET /api/projects/{id}', { path: { id: projectId } });
  }
  async function readBatches(): Promise<void> {
    const list = await api.call('GET /api/projects/{id}/batches', {
      path: { id: projectId },
      query: { limit: BATCHES_READ },
    });
    for (const batch of list.items.toReversed()) batches.upsert(batch, true);
  }
  return {
    load,
    error,
    project,
    ahead,
    socket,
    /** `fromTop`: the first images of the list are what will be in view. */
    async start(fromTop: boolean): Promise<void> {
      load.value = 'loading';
      error.value = null;
      try {
        const batchesRead = readBatches();
        listed = batchesRead.catch(() => {});
        const first = fromTop ? begin() : reload(() => true, KEPT).then((cursor) => async () => cursor);
        const known = Promise.all([first, readProject(), batchesRead]);
        const all = known.then(async ([rest]) => {
          load.value = 'ready';
          return rest();
        });
        started = all.catch(() => {});
        const cursor = await all;
        if (cursor && !stopped) socket.start(cursor);
      } catch (cause) {
        load.value = 'failed';
        socket.stop();
        error.value = cause instanceof Error ? cause.message : String(cause);
      }
    },
    /** After an upload: the new images have no events that an old index would know. */
    refresh: (): void => {
      whole.want();
      reloadSoon();
    },
    stop(): void {
      stopped = true;
      cancelReload?.();
      queue.stop();
      socket.stop();
    },
  };
}
export type GalleryFeed = ReturnType<typeof createGalleryFeed>;
