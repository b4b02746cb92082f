import { useEffect, useRef, useState } from 'preact/hooks';
import type { ImageEvent } from '#contract/events.ts';
import type { Api } from '../models/api.ts';
import { eventsUrl } from '../models/gallery/browser-deps.ts';
import { NaiveCard } from './NaiveCard.tsx';
import * as state from './state.ts';

const TOAST_MS = 5000;

async function readAllImages(api: Api, projectId: string): Promise<state.NaiveImage[]> {
  const images: state.NaiveImage[] = [];
  for (let offset = 0; ; offset += 500) {
    const page = await api.call('GET /api/projects/{id}/images', {
      path: { id: projectId },
      query: { limit: 500, offset },
    });
    images.push(...page.items.map(state.toNaiveImage));
    if (page.items.length < 500) return images;
  }
}

/**
 * The negative control: what a first version does, on purpose. A frame, a state update, a toast and a request an event,
 * every card in the document. Nothing here is imported by the real pages.
 */
export function NaiveGallery({ api, projectId }: { api: Api; projectId: string }) {
  const [images, setImages] = useState<state.NaiveImage[]>([]);
  const [toasts, setToasts] = useState<state.NaiveToast[]>([]);
  const [batches, setBatches] = useState<state.NaiveBatch[]>([]);
  const [problem, setProblem] = useState<string | null>(null);
  const nextToast = useRef(0);

  const onEvent = (event: ImageEvent): void => {
    setImages((before) => state.applyEvent(before, event));
    setBatches((before) => state.countEvent(before, event));
    if (!state.isTerminalEvent(event)) return;
    const key = nextToast.current++;
    setToasts((before) => [...before, { key, words: `Image ${event.imageId.slice(0, 8)}: ${event.status}` }]);
    setTimeout(() => setToasts((before) => before.filter((toast) => toast.key !== key)), TOAST_MS);
    if (event.status !== 'completed') return;
    api.call('GET /api/images/{id}/segmentation', { path: { id: event.imageId } }).then(
      (result) => setImages((before) => state.applyResult(before, result)),
      (cause: unknown) => setProblem(String(cause)),
    );
  };
  useEffect(() => {
    let socket: WebSocket | null = null;
    let closed = false;
    readAllImages(api, projectId).then(
      (all) => {
        if (closed) return;
        setImages(all);
        socket = new WebSocket(eventsUrl(location, { projectId, window: '0' }));
        socket.onmessage = ({ data }: MessageEvent<string>) => {
          const frame: unknown = JSON.parse(data);
          if (!state.isEventsFrame(frame)) return;
          for (const batch of frame.batches) setBatches((before) => state.noteBatch(before, batch));
          frame.events.forEach(onEvent);
        };
        socket.onclose = () => setProblem('The event socket was closed; this page does not reconnect.');
      },
      (cause: unknown) => setProblem(String(cause)),
    );
    return () => {
      closed = true;
      if (socket) socket.onclose = null;
      socket?.close();
    };
  }, [api, projectId]);

  const newest = batches.at(-1);
  const newestId = newest?.id;
  const totalUnknown = newest !== undefined && newest.total === 0;
  useEffect(() => {
    if (!newestId || !totalUnknown) return;
    void api
      .call('GET /api/batches/{id}', { path: { id: newestId } })
      .then((batch) => setBatches((before) => state.noteBatch(before, batch)));
  }, [newestId, totalUnknown]);

  const segmentAll = (): void => {
    api.call('POST /api/projects/{id}/batches', { path: { id: projectId }, body: { all: true, threshold: 0.5 } }).then(
      (batch) => setBatches((before) => state.noteBatch(before, batch)),
      (cause: unknown) => setProblem(String(cause)),
    );
  };
  return (
    <main class="naive">
      <header>
        <h1>Negative control</h1>
        <button type="button" class="primary" data-action="segment-all" onClick={segmentAll}>
          Segment all
        </button>
        <div
          role="progressbar"
          data-batch-id={newest?.id}
          aria-label="Newest batch"
          aria-valuemin={0}
          aria-valuenow={newest?.done.length ?? 0}
          aria-valuemax={newest?.total ?? 0}
        >
          {newest?.done.length ?? 0} of {newest?.total ?? 0}
        </div>
        {problem && <p role="alert">{problem}</p>}
      </header>
      <div class="naive-cards">
        {images.map((image) => (
          <NaiveCard key={image.id} image={image} />
        ))}
      </div>
      <div class="toasts">
        {toasts.map((toast) => (
          <div key={toast.key} class="toast" data-toast={toast.key}>
            {toast.words}
          </div>
        ))}
      </div>
    </main>
  );
}
