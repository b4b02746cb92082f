import { computed, signal } from '@preact/signals';
import { addressOf, type ReplyOf } from '#contract/client.ts';
import { ApiError, type Api } from '../api.ts';
import type { Clock } from '../clock.ts';
import { createExportChoice } from './ExportChoice.ts';
import { mayPass, rowOf, type ExportFormat, type ExportRow } from './export-rows.ts';
import { formatBytes, formatCount, formatPercent } from '../format.ts';
import type { LiveRegion } from '../LiveRegion.ts';
import { exportsKey, readStored, writeStored } from '../place.ts';
import { createPoll, type Poll } from '../Poll.ts';
import { here } from '../root.ts';
import { within } from '../within.ts';
import { WORDS } from '../../words/exports.ts';

/** Until the next reading: the first while something happens, longer and longer while nothing does. */
const PAUSE_MS = { first: 1000, growth: 1.5, longest: 8000 } as const;
/** The service writes the oldest first: of those behind these there is nothing new to hear. */
const READ_AT_ONCE = 4;
/** Rows that are listed; those that are over make room, oldest first. */
const KEPT = 12;
const ASK_MS = 15_000;

type ExportReply = ReplyOf<'GET /api/exports/{id}'>;

const isWaiting = ({ id, state }: ExportRow): boolean => id !== null && state !== 'ready' && state !== 'failed';
/** Begun from this page, or seen to be under way since. */
const isOpen = ({ state }: ExportRow): boolean => state === 'asked' || state === 'queued' || state === 'running';

/** Where the browser gets the file: by its address, so that nothing of it passes through the page. */
export const fileOf = (exportId: string): string =>
  here(addressOf('GET /api/download/{exportId}', { path: { exportId } }));

/**
 * Files of whole batches: asked for, followed until they are there, and then saved. Kept in this tab, so that coming back finds them:
 * what was ready by then is listed and not saved again, what the service has no longer is dropped.
 */
export function createExports(deps: {
  api: Api;
  clock: Clock;
  storage: Storage;
  projectId: string;
  batches: Parameters<typeof createExportChoice>[0]['batches'];
  imageCount: () => number;
  live: Pick<LiveRegion, 'announce' | 'alarm'>;
  /** Hands an address to the browser to save what is there. */
  save: (address: string) => void;
}) {
  const { api, clock, storage, live } = deps;
  const storeKey = exportsKey(deps.projectId);
  /** Oldest first. */
  const rows = signal<readonly ExportRow[]>(restored(readStored(storage, storeKey)));
  const poll = signal<Poll<void> | null>(null);
  let pauseMs: number = PAUSE_MS.first;
  let stopped = false;

  function keep(next: readonly ExportRow[]): void {
    const over = next.filter((row) => !isOpen(row)).slice(0, Math.max(0, next.length - KEPT));
    rows.value = next.filter((row) => !over.includes(row));
    const stored = rows.peek().flatMap(({ id, batchId, format }) => (id === null ? [] : [{ id, batchId, format }]));
    writeStored(storage, storeKey, stored);
    if (!rows.peek().some(isWaiting)) {
      poll.peek()?.stop();
      poll.value = null;
    }
  }
  /** In the place of what stood there for the same batch and format, as the newest. */
  const put = (row: ExportRow): void => keep([...rows.peek().filter(({ key }) => key !== row.key), row]);

  function nextPauseMs(): number {
    const now = pauseMs;
    pauseMs = Math.min(PAUSE_MS.longest, pauseMs * PAUSE_MS.growth);
    return now;
  }
  function follow(): void {
    if (stopped) return;
    pauseMs = PAUSE_MS.first;
    const going = poll.peek();
    if (going) return going.refresh();
    poll.value = createPoll({ read: readOpen, everyMs: nextPauseMs, clock, hidden: () => false });
    poll.value.start();
  }
  /** @throws what kept a row from being read and may pass, once the others are known */
  async function readOpen(abort: AbortSignal): Promise<void> {
    const asked = rows.peek().filter(isWaiting).slice(0, READ_AT_ONCE);
    const replies = await Promise.allSettled(
      asked.map(({ id }) => api.call('GET /api/exports/{id}', { path: { id: id! }, signal: abort })),
    );
    const told = new Map(asked.map(({ id }, i) => [id, replies[i]!]));
    const before = rows.peek();
    const next = before.flatMap((row) => {
      const reply = row.id === null ? undefined : told.get(row.id);
      return reply ? after(row, reply) : [row];
    });
    if (next.some((row, i) => row.state !== before[i]?.state)) pauseMs = PAUSE_MS.first;
    keep(next);
    tell(before, next);
    const lost = replies.find((reply) => reply.status === 'rejected' && mayPass(reply.reason));
    if (lost?.status === 'rejected') throw lost.reason;
  }
  /** What has ended since, all of one reading in one message. */
  function tell(before: readonly ExportRow[], next: readonly ExportRow[]): void {
    const going = new Set(before.filter(isOpen).map(({ id }) => id));
    const ended = next.filter(({ id }) => going.has(id));
    const ready = ended.filter(({ state }) => state === 'ready');
    for (const { id } of ready) deps.save(fileOf(id!));
    const names = ready.map(({ format, sizeBytes }) => `${WORDS.format[format].name}, ${formatBytes(sizeBytes ?? 0)}`);
    if (names.length > 0) live.announce(WORDS.said.ready(names.join(WORDS.said.and)), true);
    alarm(ended.filter(({ state }) => state === 'failed'));
  }
  function alarm(failed: readonly ExportRow[]): void {
    const said = failed.map(({ format, error }) => WORDS.said.failed(WORDS.format[format].name, error ?? ''));
    if (said.length > 0) live.alarm(said.join(' '));
  }
  async function ask(batchId: string, format: ExportFormat): Promise<void> {
    const row = rowOf(batchId, format);
    if (rows.peek().some((other) => other.key === row.key && isOpen(other))) return;
    put({ ...row, state: 'asked' });
    try {
      const made = await within(clock, ASK_MS, (abort) =>
        api.call('POST /api/batches/{id}/exports', { path: { id: batchId }, body: { format }, signal: abort }),
      );
      put({ ...row, id: made.id, state: 'queued' });
      follow();
    } catch (cause) {
      const failed: ExportRow = { ...row, state: 'failed', error: messageOf(cause) };
      put(failed);
      alarm([failed]);
    }
  }
  if (rows.peek().length > 0) follow();

  return {
    choice: createExportChoice(deps),
    rows,
    /** Why it is not known how far they are; null while it is. */
    lost: computed(() => poll.value?.state.value.error ?? null),
    /** For a closed menu: how far the open ones are, or that some failed; null where there is nothing to say. */
    summary: computed((): string | null => {
      const open = rows.value.filter(isOpen);
      if (open.length > 0) return formatPercent(open.reduce((sum, { progress }) => sum + progress, 0) / open.length);
      const failed = rows.value.filter(({ state }) => state === 'failed').length;
      return failed > 0 ? WORDS.someFailed(formatCount(failed)) : null;
    }),
    ask,
    retry: ({ batchId, format }: ExportRow): Promise<void> => ask(batchId, format),
    /** Takes a row off the list; its file stays with the service as long as it is kept there. */
    forget: (key: string): void => keep(rows.peek().filter((row) => row.key !== key)),
    stop(): void {
      stopped = true;
      poll.peek()?.stop();
      poll.value = null;
    },
  };
}
export type Exports = ReturnType<typeof createExports>;

const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** A row after its reading: gone with its export, as it was where that may pass, failed where it will not. */
function after(row: ExportRow, reply: PromiseSettledResult<ExportReply>): ExportRow[] {
  if (reply.status === 'fulfilled') {
    const { status: state, progress, sizeBytes, error } = reply.value;
    return [{ ...row, state, progress, sizeBytes, error: error ?? (state === 'failed' ? WORDS.unknownWhy : null) }];
  }
  const cause: unknown = reply.reason;
  if (cause instanceof ApiError && cause.statusCode === 404) return [];
  return mayPass(cause) ? [row] : [{ ...row, state: 'failed', error: messageOf(cause) }];
}

/** What was kept, as far as it is that: their states are to be read. */
function restored(stored: unknown): ExportRow[] {
  const entries: Partial<Record<string, unknown>>[] = Array.isArray(stored) ? stored : [];
  return entries.flatMap((entry) => {
    const { id, batchId, format } = entry ?? {};
    if (typeof id !== 'string' || typeof batchId !== 'string' || typeof format !== 'string') return [];
    return Object.hasOwn(WORDS.format, format) ? [{ ...rowOf(batchId, format as ExportFormat), id }] : [];
  });
}
