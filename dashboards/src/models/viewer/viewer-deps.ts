import { addressOf } from '#contract/client.ts';
import type { Api } from '../api.ts';
import type { Part } from './part-grid.ts';
import type { ViewerReply, ViewerRequest } from '../../raster/viewer-worker.ts';
import { WORDS } from '../../words/viewer.ts';

export type DrawRequest = Omit<Extract<ViewerRequest, { type: 'draw' }>, 'type' | 'turn'>;
export type Painter = ReturnType<typeof createPainter>;

/** The worker that draws outlines: a promise a drawing. */
export function createPainter(onError: (message: string) => void) {
  const worker = new Worker(new URL('../../raster/viewer-worker.ts', import.meta.url), { type: 'module' });
  const waiting = new Map<number, (bitmap: ImageBitmap | null) => void>();
  let turn = 0;
  worker.onmessage = ({ data }: MessageEvent<ViewerReply>) => {
    if (data.error) onError(WORDS.notDrawn(data.error));
    waiting.get(data.turn)?.(data.bitmap);
    waiting.delete(data.turn);
  };
  return {
    shapes(key: string, bytes: Uint8Array<ArrayBuffer>): void {
      worker.postMessage({ type: 'shapes', key, bytes } satisfies ViewerRequest, [bytes.buffer]);
    },
    keepOnly: (imageId: string): void => worker.postMessage({ type: 'keep', imageId } satisfies ViewerRequest),
    draw(request: DrawRequest): Promise<ImageBitmap | null> {
      return new Promise((resolve) => {
        waiting.set(++turn, resolve);
        worker.postMessage({ type: 'draw', turn, ...request } satisfies ViewerRequest);
      });
    },
    release(): void {
      worker.terminate();
      for (const resolve of waiting.values()) resolve(null);
    },
  };
}

async function loadRendered(
  api: Api,
  imageId: string,
  query: { w: number; region?: string },
  signal: AbortSignal,
): Promise<ImageBitmap> {
  const at = addressOf('GET /api/images/{id}/render', { path: { id: imageId }, query: { ...query, f: 'webp' } });
  return createImageBitmap(await (await api.request(at, { signal })).blob());
}
export const loadPicture = (api: Api, imageId: string, width: number, signal: AbortSignal): Promise<ImageBitmap> =>
  loadRendered(api, imageId, { w: width }, signal);

export function loadPart(api: Api, imageId: string, part: Part, signal: AbortSignal): Promise<ImageBitmap> {
  const { left, top, width, height, reduction } = part;
  return loadRendered(
    api,
    imageId,
    { region: [left, top, width, height].join(), w: Math.ceil(width / reduction) },
    signal,
  );
}

/** Hands a text or a picture to the person as a file. */
export function saveFile(name: string, content: Blob): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser has taken it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
