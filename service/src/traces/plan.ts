import { newSpanId, sibling, type Traceparent } from './context.ts';
import type { Attributes, PastSpan } from './traces.ts';

/** An image that has ended in a batch, and where it belongs in a trace. */
export interface TracedEnd {
  imageId: string;
  batchId: string | null;
  status: string;
  code: string | null;
  /** The request that brought the image. */
  upload: Traceparent | null;
  /** The request that started the batch. */
  batch: Traceparent | null;
  /** Of the image's own span; chosen before it is recorded, because its event tells pages of it. */
  spanId: string;
}
/** What PostgreSQL keeps of it; times in epoch milliseconds. */
export interface StoredStage {
  stage: string;
  startedMs: number;
  durationMs: number;
  cpuMs: number | null;
  attempt: number;
  worker: string | null;
  cause: string | null;
}
export interface StoredItem {
  queuedMs: number;
  /** When the last attempt was claimed. */
  claimedMs: number | null;
  attempts: number;
}

/** An image is followed in the trace that brought it; where that was not sampled, in the one that started its batch. */
export const homeOf = ({ upload, batch }: Pick<TracedEnd, 'upload' | 'batch'>): Traceparent | null => upload ?? batch;
export const placeOf = (end: TracedEnd): Traceparent => sibling(homeOf(end)!, end.spanId);

const IN_RELAY = new Set(['publish']);

/** How the last attempt waited: for the relay, in the queue, and in the worker for a free child; what nobody noted is left out. */
function waits(
  { startedMs, durationMs }: StoredStage,
  item: StoredItem,
  movedMs: number | null,
): { name: string; role: PastSpan['role']; startMs: number; endMs: number }[] {
  const end = startedMs + durationMs;
  // three clocks: none of the parts may begin before the one before it ends
  const inside = (ms: number, from: number) => Math.min(Math.max(ms, from), end);
  const moved = movedMs === null ? null : inside(movedMs, startedMs);
  const claimed = item.claimedMs === null ? null : inside(item.claimedMs, moved ?? startedMs);
  return [
    ...(moved === null
      ? []
      : [{ name: 'wait for the relay', role: 'relay' as const, startMs: startedMs, endMs: moved }]),
    ...(claimed === null
      ? []
      : [{ name: 'wait in the queue', role: 'worker' as const, startMs: moved ?? startedMs, endMs: claimed }]),
    ...(claimed === null ? [] : [{ name: 'wait for the pool', role: 'worker' as const, startMs: claimed, endMs: end }]),
  ];
}

/**
 * The spans of one image's way through a batch: its own, one for each stage of each attempt, and the parts of the last wait.
 * @param movedMs when the relay put the last attempt's job into the queue; null where it does not know any more
 */
export function planSpans(
  end: TracedEnd,
  stages: readonly StoredStage[],
  item: StoredItem | null,
  movedMs: number | null,
  newId: () => string = newSpanId,
): PastSpan[] {
  const home = homeOf(end);
  if (home === null || (stages.length === 0 && item === null)) return [];
  const own = placeOf(end);
  const ids: Attributes = {
    'segbench.image.id': end.imageId,
    ...(end.batchId === null ? {} : { 'segbench.batch.id': end.batchId }),
  };
  const starts = [...stages.map(({ startedMs }) => startedMs), ...(item ? [item.queuedMs] : [])];
  const ends = stages.map(({ startedMs, durationMs }) => startedMs + durationMs);
  const startMs = Math.min(...starts);
  const root: PastSpan = {
    role: 'relay',
    name: 'segment image',
    startMs,
    endMs: Math.max(startMs, ...ends),
    parent: home,
    spanId: end.spanId,
    links: end.batch !== null && end.batch !== home ? [end.batch] : [],
    attributes: { ...ids, 'segbench.status': end.status, ...(item ? { 'segbench.attempts': item.attempts } : {}) },
    ...(end.status === 'failed' ? { error: end.code ?? 'failed' } : {}),
  };
  const lastWait = stages.findLast(({ stage }) => stage === 'wait');
  const parts = stages.flatMap((stage): PastSpan[] => {
    const spanId = newId();
    const span: PastSpan = {
      role: IN_RELAY.has(stage.stage) ? 'relay' : 'worker',
      name: stage.stage,
      startMs: stage.startedMs,
      endMs: stage.startedMs + stage.durationMs,
      parent: own,
      spanId,
      attributes: {
        ...ids,
        'segbench.attempt': stage.attempt,
        ...(stage.worker === null ? {} : { 'segbench.worker': stage.worker }),
        ...(stage.cpuMs === null ? {} : { 'segbench.cpu_ms': stage.cpuMs }),
      },
      // `reuse` has a cause that is no failure
      ...(stage.cause !== null && stage.stage !== 'reuse' ? { error: stage.cause } : {}),
    };
    const within = stage === lastWait && item ? waits(stage, item, movedMs) : [];
    return [span, ...within.map((part) => ({ ...part, parent: sibling(own, spanId), attributes: ids }))];
  });
  return [root, ...parts];
}
