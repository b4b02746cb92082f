import { signal } from '@preact/signals';
import type { BodyOf } from '#contract/client.ts';
import type { Api } from '../api.ts';
import type { Batches, BatchView } from '../Batches.ts';
import type { LiveRegion } from '../LiveRegion.ts';
import { BATCH_IDS } from './Selection.ts';
import { WORDS } from '../../words/gallery.ts';

/** What a person does with batches here. What fails is told in `error`, in the service's words. */
export function createBatchActions(deps: {
  api: Api;
  projectId: string;
  batches: Batches;
  live: LiveRegion;
  pickedIds: () => string[];
  onStart?: (threshold: number) => void;
}) {
  const { api, batches, live } = deps;
  const error = signal<string | null>(null);
  /** How sure the model must be that a pixel belongs to a cell. */
  const threshold = signal(0.5);
  /** Batches whose failed images are tried again: asked for from here, and not refused. */
  const retried = signal<ReadonlySet<string>>(new Set());

  /** @throws ApiError */
  async function start(body: BodyOf<'POST /api/projects/{id}/batches'>): Promise<BatchView> {
    const created = await api.call('POST /api/projects/{id}/batches', { path: { id: deps.projectId }, body });
    deps.onStart?.(created.threshold);
    batches.upsert(created);
    live.announce(WORDS.segment.started(created.total));
    return created;
  }
  async function post(batchId: string, action: 'pause' | 'resume' | 'cancel'): Promise<void> {
    await api.call(`POST /api/batches/{id}/${action}`, { path: { id: batchId } });
  }
  async function act(work: () => Promise<unknown>): Promise<void> {
    error.value = null;
    try {
      await work();
    } catch (cause) {
      error.value = cause instanceof Error ? cause.message : String(cause);
    }
  }
  return {
    error,
    threshold,
    retried,
    start,
    post,
    act,
    segmentAll: (): Promise<void> => act(() => start({ all: true, threshold: threshold.peek() })),
    /** One batch, or several where more are chosen than one may name. */
    segmentPicked: (): Promise<void> =>
      act(async () => {
        const ids = deps.pickedIds();
        for (let from = 0; from < ids.length; from += BATCH_IDS)
          await start({ imageIds: ids.slice(from, from + BATCH_IDS), threshold: threshold.peek() });
      }),
    control: (batchId: string, action: 'pause' | 'resume' | 'cancel'): Promise<void> =>
      act(() => post(batchId, action)),
    async retryFailed(batchId: string): Promise<void> {
      if (retried.peek().has(batchId)) return;
      retried.value = new Set(retried.peek()).add(batchId);
      await act(async () => {
        const body = { only: 'failed' } as const;
        try {
          batches.upsert(await api.call('POST /api/batches/{id}/retry', { path: { id: batchId }, body }));
        } catch (cause) {
          retried.value = new Set([...retried.peek()].filter((id) => id !== batchId));
          throw cause;
        }
      });
    },
  };
}
export type BatchActions = ReturnType<typeof createBatchActions>;
