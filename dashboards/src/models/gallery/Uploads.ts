import { signal } from '@preact/signals';
import { addressOf } from '#contract/client.ts';
import type { ErrorBody } from '#contract/common.ts';
import type { UploadReply } from '#contract/images.ts';
import { ApiError } from '../api.ts';
import type { Clock } from '../clock.ts';
import { formatBytes, formatCount } from '../format.ts';
import type { SendForm, SendReply } from './send-form.ts';
import { WORDS as COMMON } from '../../words/common.ts';
import { WORDS } from '../../words/gallery.ts';
import { groupFiles, type Chosen, type Refusal, type UploadFile } from './upload-files.ts';

const PARALLEL = 3;
/** About half a minute with the pauses between them: longer than a restart of the service. */
const ATTEMPTS = 6;
/** A limit of requests a minute is no fault: a folder of 100,000 files meets it again and again. */
const PATIENT_ATTEMPTS = 60;
const PAUSE_MS = { first: 1000, longest: 30_000 };
/** Rows of files that are on their way; the others are in the counts. */
const ROWS = 6;

/** A file on its way. `sentBytes` equal to its size: it is being looked at by the service. */
export interface UploadRow {
  id: number;
  name: string;
  sizeBytes: number;
  sentBytes: number;
}
export interface UploadState {
  total: number;
  /** Accepted or refused. */
  done: number;
  totalBytes: number;
  sentBytes: number;
  rows: readonly UploadRow[];
  refused: readonly Refusal[];
  /** Files that could not be sent, and why the last of them could not; `retry` sends them. */
  failed: number;
  failure: string | null;
  /** Waiting to try again after an error that may pass. */
  waiting: string | null;
  active: boolean;
}
const IDLE: UploadState = {
  total: 0,
  done: 0,
  totalBytes: 0,
  sentBytes: 0,
  rows: [],
  refused: [],
  failed: 0,
  failure: null,
  waiting: null,
  active: false,
};

interface Item extends UploadFile {
  id: number;
  size: number;
}
/** Files of one request. Its key stays as long as its files do, so that a request whose answer was lost can be sent again. */
interface Group {
  items: Item[];
  bytes: number;
  key: string;
  sent: number;
}

const passes = ({ status, body }: SendReply): boolean =>
  status === 408 ||
  status === 425 ||
  status === 429 ||
  (status >= 500 && status !== 501) ||
  (body as Partial<ErrorBody> | null)?.code === 'IDEMPOTENCY_IN_USE';

/** How much of each file has left, when `sent` bytes of them have: they go one after the other. */
export function spread(items: readonly { id: number; path: string; size: number }[], sent: number): UploadRow[] {
  let before = 0;
  return items.map(({ id, path, size }) => {
    const sentBytes = Math.min(size, Math.max(0, sent - before));
    before += size;
    return { id, name: path, sizeBytes: size, sentBytes };
  });
}

/**
 * Sends files in several requests at a time. What is refused is listed by name and the rest goes on; an error that may pass is
 * tried again; what still could not be sent is kept and goes on from there when asked to, and nothing is stored twice.
 */
export function createUploads(deps: {
  projectId: string;
  send: SendForm;
  clock: Clock;
  random: () => number;
  newKey: () => string;
  /** The service has taken files on. */
  onAccepted: () => void;
}) {
  const { projectId, send, clock } = deps;
  const state = signal<UploadState>(IDLE);
  const url = addressOf('POST /api/projects/{id}/images', { path: { id: projectId } });
  const queue: Group[] = [];
  const sending = new Set<Group>();
  const failed: Group[] = [];
  let stop = new AbortController();
  let lanes = 0;
  let nextId = 0;
  let bytesDone = 0;

  const newGroup = (items: Item[]): Group => ({
    items,
    bytes: items.reduce((sum, { size }) => sum + size, 0),
    key: deps.newKey(),
    sent: 0,
  });
  function show(change: Partial<UploadState> = {}): void {
    const groups = [...sending];
    const rows = groups.flatMap(({ items, sent }) => spread(items, sent));
    const onTheWay = rows.filter(({ sentBytes, sizeBytes }) => sentBytes < sizeBytes);
    const begun = onTheWay.filter(({ sentBytes }) => sentBytes > 0);
    state.value = {
      ...state.peek(),
      sentBytes: bytesDone + groups.reduce((sum, { sent }) => sum + sent, 0),
      rows: [...new Set([...begun, ...onTheWay, ...rows])].slice(0, ROWS),
      failed: failed.reduce((sum, { items }) => sum + items.length, 0),
      active: lanes > 0,
      ...change,
    };
  }
  function finish(group: Group, refused: readonly Refusal[]): void {
    const before = state.peek();
    bytesDone += group.bytes;
    sending.delete(group);
    show({ done: before.done + group.items.length, refused: [...before.refused, ...refused], waiting: null });
    if (refused.length < group.items.length) deps.onAccepted();
  }
  function giveUp(group: Group, why: string): void {
    group.sent = 0;
    sending.delete(group);
    failed.push(group);
    show({ failure: why, waiting: null });
  }
  /** A file that was moved or changed would fail its whole request for ever. */
  async function dropUnreadable(group: Group): Promise<void> {
    const readable = await Promise.all(
      group.items.map(({ file }) =>
        file
          .slice(0, 1)
          .arrayBuffer()
          .then(() => true)
          .catch(() => false),
      ),
    );
    const gone = group.items.filter((_, i) => !readable[i]);
    if (gone.length === 0) return;
    const lost = newGroup(gone);
    const message = WORDS.uploads.moved;
    finish(
      lost,
      gone.map(({ path }) => ({ name: path, code: 'UNREADABLE', message })),
    );
    Object.assign(group, newGroup(group.items.filter((_, i) => readable[i])));
  }
  function pause(ms: number, abort: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        cancel();
        abort.removeEventListener('abort', end);
        resolve();
      };
      const cancel = clock.after(ms, end);
      abort.addEventListener('abort', end);
    });
  }
  async function attempt(group: Group, abort: AbortSignal): Promise<SendReply> {
    const form = new FormData();
    for (const { file, path } of group.items) form.append('files', file, path);
    const onProgress = (sent: number, total: number): void => {
      group.sent = total > 0 ? Math.min(group.bytes, (sent / total) * group.bytes) : 0;
      show();
    };
    try {
      return await send({ url, form, key: group.key, onProgress, signal: abort });
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      return { status: 503, body: { code: cause.code, message: cause.message }, retryAfterMs: null };
    }
  }
  async function sendGroup(group: Group, abort: AbortSignal): Promise<void> {
    sending.add(group);
    show();
    for (let tries = 1; ; tries++) {
      const reply = await attempt(group, abort);
      const body = reply.body as Partial<UploadReply & ErrorBody> | null;
      if (reply.status === 201) return finish(group, body?.rejected ?? []);
      if (reply.status === 400 && body?.rejected?.length) return finish(group, body.rejected);
      const why = body?.message ?? COMMON.answered(reply.status);
      const most = reply.status === 429 ? PATIENT_ATTEMPTS : ATTEMPTS;
      if (!passes(reply) || tries >= most) return giveUp(group, why);
      const ceiling = Math.min(PAUSE_MS.longest, PAUSE_MS.first * 2 ** (tries - 1));
      group.sent = 0;
      show({ waiting: why });
      await pause(Math.max(reply.retryAfterMs ?? 0, ceiling / 2 + (deps.random() * ceiling) / 2), abort);
      if (abort.aborted) return giveUp(group, WORDS.uploads.stopped);
      await dropUnreadable(group);
      if (group.items.length === 0) return void sending.delete(group);
    }
  }
  async function lane(): Promise<void> {
    const { signal: abort } = stop;
    for (let group = queue.shift(); group; group = abort.aborted ? undefined : queue.shift()) {
      const mine = group;
      await sendGroup(mine, abort).catch(() => giveUp(mine, WORDS.uploads.stopped));
    }
    lanes--;
    show();
  }
  function start(): void {
    if (stop.signal.aborted) stop = new AbortController();
    while (lanes < PARALLEL && lanes < queue.length + sending.size) {
      lanes++;
      void lane();
    }
    show();
  }
  return {
    state,
    /** Files may be added while others are on their way. */
    add({ files, refused }: Chosen): void {
      const items = files.map(({ file, path }): Item => ({ file, path, size: file.size, id: nextId++ }));
      queue.push(...groupFiles(items).map(newGroup));
      const before = state.peek();
      state.value = {
        ...before,
        total: before.total + files.length + refused.length,
        done: before.done + refused.length,
        totalBytes: before.totalBytes + items.reduce((sum, { size }) => sum + size, 0),
        refused: [...before.refused, ...refused],
      };
      start();
    },
    /** Sends what could not be sent, from where it stopped. */
    retry(): void {
      queue.push(...failed.splice(0));
      state.value = { ...state.peek(), failure: null };
      start();
    },
    /** Ends what is on its way; `retry` goes on. */
    stop(): void {
      failed.push(...queue.splice(0));
      stop.abort(new Error('stopped'));
      show({ failure: WORDS.uploads.stopped });
    },
    /** Forgets what is over, and what could not be sent. */
    clear(): void {
      if (lanes > 0) return;
      failed.length = 0;
      bytesDone = 0;
      state.value = IDLE;
    },
  };
}
export type Uploads = ReturnType<typeof createUploads>;

export function uploadWords({ total, done, refused, totalBytes, sentBytes, active }: UploadState): string {
  if (active)
    return WORDS.uploads.going(formatCount(done), WORDS.files(total), formatBytes(sentBytes), formatBytes(totalBytes));
  return WORDS.uploads.over(
    WORDS.files(done - refused.length),
    refused.length > 0 ? formatCount(refused.length) : null,
  );
}
