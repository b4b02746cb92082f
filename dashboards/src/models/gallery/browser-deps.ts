import { addressOf } from '#contract/client.ts';
import type { Api } from '../api.ts';
import { browserClock } from '../clock.ts';
import type { Cursor, SocketLike } from './EventSocket.ts';
import { browserFrames } from './frame-queue.ts';
import type { GalleryDeps } from './gallery-deps.ts';
import type { RasterReply } from './Overlays.ts';
import { here } from '../root.ts';
import { sendForm } from './send-form.ts';

const THUMBNAIL_PX = 160;

export function eventsUrl(location: Location, query: Record<string, string>): string {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${location.host}${here('/api/events')}?${new URLSearchParams(query).toString()}`;
}

/** The real browser behind a gallery: sockets, frames, pictures and one worker. `release` ends the worker. */
export function createBrowserDeps(api: Api, projectId: string): { deps: GalleryDeps; release: () => void } {
  const worker = new Worker(new URL('../../raster/raster-worker.ts', import.meta.url), { type: 'module' });
  const drawn = new OffscreenCanvas(1, 1);
  const deps: GalleryDeps = {
    projectId,
    api,
    clock: browserClock,
    frames: browserFrames,
    random: Math.random,
    // Not `randomUUID`: pages without TLS have none.
    newKey: () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join('-'),
    sendForm,
    storage: sessionStorage,
    bulkResults: document.documentElement.dataset['bulkResults'] !== 'off',
    openSocket: ({ epoch, seq }: Cursor) =>
      new WebSocket(eventsUrl(location, { projectId, epoch, since: String(seq) })) as SocketLike,
    thumbnails: {
      async many(imageIds, signal) {
        const query = { ids: imageIds.join(','), w: THUMBNAIL_PX };
        const parts = await (await api.request(addressOf('GET /api/thumbnails', { query }), { signal })).formData();
        const decode = async ([id, part]: [string, FormDataEntryValue]) =>
          [id, await createImageBitmap(part as File)] as const;
        return new Map(await Promise.all([...parts].map(decode)));
      },
      async one(imageId, signal) {
        const query = { w: THUMBNAIL_PX, f: 'webp' } as const;
        const address = addressOf('GET /api/images/{id}/render', { path: { id: imageId }, query });
        return createImageBitmap(await (await api.request(address, { signal })).blob());
      },
    },
    // On a canvas that is drawn on directly, a browser that composites in software copies all of it for each frame.
    present(canvas, draw) {
      [drawn.width, drawn.height] = [canvas.width, canvas.height];
      draw(drawn.getContext('2d')!);
      canvas.getContext('bitmaprenderer')!.transferFromImageBitmap(drawn.transferToImageBitmap());
    },
    raster: {
      post: (requests, transfer) => worker.postMessage(requests, transfer),
      onReply: (listen) => {
        worker.onmessage = ({ data }: MessageEvent<RasterReply[]>) => listen(data);
      },
    },
  };
  return { deps, release: () => worker.terminate() };
}
