import { createBulkDecoder } from '#contract/polygons-format.ts';
import { POLYGONS_MIME } from '#contract/names.ts';
import type { Api } from '../api.ts';
import type { ImageStore } from '../ImageStore.ts';
import { createResultCache, isUnlike, type ResultView } from '../result-cache.ts';
import { MAX_IDS, type ResultSource } from './ResultFetcher.ts';

/** A page that arrives in well under a second on a slow network and is decoded between two frames. */
export const PAGE_BYTES = 8 * 1024 * 1024;

/** Bulk requests for encoded results, and the views kept of them. */
export function createResultSource(deps: {
  api: Api;
  store: ImageStore;
  /** Positions in the store of the cells that can be seen. */
  visible: () => number[];
  batchOpen: () => boolean;
  onResults: (positions: number[]) => void;
  /** All of a reply is here, or no more of it will come. */
  onRead: () => void;
  /** False: one request a result, for measuring what bulk requests are worth. */
  bulk?: boolean;
}) {
  const { api, store } = deps;
  const cache = createResultCache((view) => store.setHeld(store.find(view.imageId), 0));

  /** @returns whether it is the current result; a completion that came in while the request was under way may have made it old. */
  function keep(view: Omit<ResultView, 'mark'>, askedAt: number): boolean {
    const i = store.find(view.imageId);
    const mark = i < 0 ? 0 : store.markAt(i);
    if (mark === 0 || mark > askedAt) return false;
    cache.set(view.imageId, { ...view, mark });
    store.setHeld(i, mark);
    store.setSeen(i, view.unlike);
    return true;
  }
  /** Keeps and shows each result as soon as it is here: of a reply that is cut, what came before. */
  async function fetchBulk(body: object): Promise<string | null> {
    const askedAt = store.mark;
    let changed: number[] = [];
    const decoder = createBulkDecoder((imageId, result) => {
      if (!result) return;
      const { imageWidth: width = 1, imageHeight: height = 1, polygonCount = 0, warnings } = result.meta;
      // A copy of its own: a view into the reply would keep all of the reply's bytes alive.
      const bytes = result.polygons.slice();
      const view = { imageId, bytes, width, height, polygonCount, unlike: isUnlike(warnings) };
      if (keep(view, askedAt)) changed.push(store.find(imageId));
    });
    const show = (): void => {
      if (changed.length > 0) deps.onResults(changed);
      changed = [];
    };
    try {
      for await (const piece of api.pieces('POST /api/segmentation/batch/results', { body, accept: POLYGONS_MIME })) {
        decoder.push(piece);
        show();
      }
      return decoder.end().nextCursor;
    } finally {
      show();
      deps.onRead();
    }
  }
  async function fetchEach(imageIds: readonly string[]): Promise<null> {
    // A chunk of its own, since no page needs it but under BULK_RESULTS=off.
    const { readSingleResult } = await import('./single-result.ts');
    const askedAt = store.mark;
    await Promise.all(
      imageIds.map(async (imageId) => {
        if (keep(await readSingleResult(api, imageId), askedAt)) deps.onResults([store.find(imageId)]);
      }),
    ).finally(deps.onRead);
    return null;
  }
  const visibleNeeds = () => deps.visible().filter((i) => store.needsResult(i));
  /** What is visible and missing, then the rest of what is missing of a batch; null where one request cannot name it all. */
  const missingInOrder = (batchId: string): string[] | null =>
    store.missingOf(batchId) > MAX_IDS
      ? null
      : [...new Set([...visibleNeeds(), ...store.positionsMissing(batchId)])].slice(0, MAX_IDS).map(store.idAt);
  /** Ids of the request that a cursor goes on with. */
  let asked: string[] | null = null;
  const source: ResultSource = {
    visibleNeeds,
    batchNeeds: (batchId) => store.missingOf(batchId),
    batchOpen: deps.batchOpen,
    fetchVisible: async (positions) => {
      const imageIds = positions.slice(0, MAX_IDS).map(store.idAt);
      await (deps.bulk === false ? fetchEach(imageIds) : fetchBulk({ imageIds }));
    },
    fetchPage: (batchId, cursor) => {
      if (deps.bulk === false) return fetchEach(store.positionsMissing(batchId).map(store.idAt));
      if (cursor === null) asked = missingInOrder(batchId);
      const page = { maxBytes: PAGE_BYTES, ...(cursor !== null && { cursor }) };
      return fetchBulk(asked ? { imageIds: asked, ...page } : { batchId, ...page });
    },
    hasRoom: () => cache.hasRoom(PAGE_BYTES),
  };
  return { source, cache };
}
