import { decodeBulk } from '#contract/polygons-format.ts';
import { POLYGONS_MIME } from '#contract/names.ts';
import type { Api } from './api.ts';
import type { ImageStore } from './ImageStore.ts';
import { createResultCache } from './result-cache.ts';
import type { ResultSource } from './ResultFetcher.ts';

/** A page that arrives in well under a second on a slow network and is decoded between two frames. */
export const PAGE_BYTES = 8 * 1024 * 1024;
/** More than any screen shows; the server's own limit is 1,000. */
const MAX_IDS = 500;

/** Bulk requests for encoded results, and the views kept of them. */
export function createResultSource(deps: {
  api: Api;
  store: ImageStore;
  /** Positions in the store of the cells that can be seen. */
  visible: () => number[];
  batchOpen: () => boolean;
  onResults: (positions: number[]) => void;
}) {
  const { api, store } = deps;
  const cache = createResultCache((view) => store.setHeld(store.find(view.imageId), 0));

  async function fetchBulk(body: object): Promise<string | null> {
    // Completions that come in while the request is under way may or may not be in the reply: they are not current.
    const askedAt = store.mark;
    const bytes = await api.bytes('POST /api/segmentation/batch/results', { body, accept: POLYGONS_MIME });
    const reply = decodeBulk(bytes);
    const changed: number[] = [];
    for (const [imageId, result] of reply.results) {
      const i = store.find(imageId);
      const mark = i < 0 ? 0 : store.markAt(i);
      if (!result || mark === 0 || mark > askedAt) continue;
      const { imageWidth: width = 1, imageHeight: height = 1, polygonCount = 0 } = result.meta;
      // A copy of its own: a view into the reply would keep all of the reply's bytes alive.
      cache.set(imageId, { imageId, bytes: result.polygons.slice(), width, height, polygonCount, mark });
      store.setHeld(i, mark);
      changed.push(i);
    }
    deps.onResults(changed);
    return reply.nextCursor;
  }
  const source: ResultSource = {
    visibleNeeds: () => deps.visible().filter((i) => store.needsResult(i)),
    batchNeeds: (batchId) => store.missingOf(batchId),
    batchOpen: deps.batchOpen,
    fetchVisible: async (positions) => {
      await fetchBulk({ imageIds: positions.slice(0, MAX_IDS).map(store.idAt) });
    },
    fetchPage: (batchId, cursor) => fetchBulk({ batchId, maxBytes: PAGE_BYTES, ...(cursor !== null && { cursor }) }),
    hasRoom: () => cache.hasRoom(PAGE_BYTES),
  };
  return { source, cache };
}
