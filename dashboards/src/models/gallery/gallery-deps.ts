import type { Api } from '../api.ts';
import type { Clock } from '../clock.ts';
import type { createCells } from './Cells.ts';
import type { Cursor, SocketLike } from './EventSocket.ts';
import type { FrameScheduler } from './frame-queue.ts';
import type { RasterReply, RasterRequest } from './Overlays.ts';
import type { SendForm } from './send-form.ts';
import type { ThumbnailSource } from './Thumbnails.ts';

/** What a gallery takes from outside. */
export interface GalleryDeps {
  projectId: string;
  api: Api;
  clock: Clock;
  frames: FrameScheduler;
  random: () => number;
  newKey: () => string;
  sendForm: SendForm;
  /** Of this tab: where the list was left. */
  storage: Storage;
  openSocket: (cursor: Cursor) => SocketLike;
  thumbnails: ThumbnailSource<ImageBitmap>;
  present: Parameters<typeof createCells>[0]['present'];
  raster: {
    post: (requests: RasterRequest[], transfer: Transferable[]) => void;
    onReply: (listen: (replies: RasterReply[]) => void) => void;
  };
  /** False: the service has BULK_RESULTS=off, and results are fetched one by one. */
  bulkResults?: boolean;
  /** The self-test page blocks the main thread here; nobody else passes hooks. */
  hooks?: { afterEvents?: (batchEnded: boolean) => void; beforePaint?: () => void };
}
