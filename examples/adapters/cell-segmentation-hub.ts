/**
 * The API of https://github.com/michalprusek/cell-segmentation-hub, as its routes and its socket stand in commit bf99ac2 (July 2026).
 *
 * HUB_URL, HUB_EMAIL, HUB_PASSWORD: where it is and who asks; the account must exist. HUB_MODEL (default `hrnet`). HUB_CATCH_UP=off:
 * only what its socket says counts. By default a client that was away asks for the images that it missed, as the hub's own page
 * does, for the hub neither numbers its events nor sends them again.
 */
import type {
  Target,
  TargetConfig,
  TargetEvent,
  TargetFile,
  TargetResult,
  TargetUpload,
} from '../../loadtest/src/targets/target.ts';
import { listenTo, type Listener } from './socket-io.ts';

/** What the hub takes in one request. */
const MOST = { results: 1000, queue: 10_000, page: 100 } as const;

/** `no_segmentation` is said of an image that was worked on and shows nothing; before its turn it is "queued". */
const ENDS: Readonly<Record<string, TargetEvent['status']>> = {
  queued: 'queued',
  processing: 'processing',
  segmented: 'completed',
  completed: 'completed',
  no_segmentation: 'completed',
  failed: 'failed',
  cancelled: 'failed',
};

interface Update {
  imageId: string;
  projectId: string;
  status: string;
  error?: string;
}
interface QueueItem {
  imageId: string;
  status: 'queued' | 'processing';
}

const env = (name: string, fallback?: string): string => {
  const value = process.env[name] ?? fallback;
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
};
const chunks = <T>(all: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));

export default function createTarget(): Target {
  let config: TargetConfig;
  let url = '';
  let cookie = '';
  let projectId = '';
  let listener: Listener | undefined;
  const started: string[] = [];
  const told = new Set<string>();
  /** Told after an absence; the socket may still bring the same end, and that is no second one. */
  const caughtUp = new Set<string>();

  async function signIn(): Promise<void> {
    const reply = await fetch(`${url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: env('HUB_EMAIL'), password: env('HUB_PASSWORD') }),
      signal: config.signal,
    });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`POST ${url}/api/auth/login: status ${reply.status}: ${text.slice(0, 200)}`);
    cookie = reply.headers
      .getSetCookie()
      .map((one) => one.split(';')[0] ?? '')
      .filter((one) => one.startsWith('access_token='))
      .join('; ');
    if (cookie === '') throw new Error(`POST ${url}/api/auth/login: the answer sets no cookie access_token`);
  }

  /** The hub wraps what it answers in `{success, data}`. Its tokens are short-lived: after a 401 it is asked for another, once. */
  async function call<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const isJson = body !== undefined && !(body instanceof FormData);
      const init: RequestInit = {
        method,
        headers: { cookie, ...(isJson ? { 'content-type': 'application/json' } : {}) },
        signal: config.signal,
      };
      if (body !== undefined) init.body = body instanceof FormData ? body : JSON.stringify(body);
      const reply = await fetch(url + path, init);
      const text = await reply.text();
      if (reply.status === 401 && attempt === 1) {
        await signIn();
        continue;
      }
      if (!reply.ok) throw new Error(`${method} ${url}${path}: status ${reply.status}: ${text.slice(0, 200)}`);
      return (JSON.parse(text) as { data: T }).data;
    }
  }

  async function failedIds(): Promise<Set<string>> {
    const ids = new Set<string>();
    for (let page = 1, last = 1; page <= last; page++) {
      const path = `/api/projects/${projectId}/images?status=failed&limit=${MOST.page}&page=${page}`;
      const { images, pagination } = await call<{ images: { id: string }[]; pagination: { totalPages: number } }>(
        'GET',
        path,
      );
      for (const { id } of images) ids.add(id);
      last = pagination.totalPages;
    }
    return ids;
  }

  /** In this order: an image leaves the queue after its result was written, so that none falls between two answers. */
  async function statesOf(imageIds: readonly string[]): Promise<TargetResult[]> {
    const items = await call<QueueItem[]>('GET', `/api/queue/projects/${projectId}/items`);
    const queue = new Map(items.map(({ imageId, status }) => [imageId, status]));
    const results: Record<string, object | null> = {};
    for (const some of chunks(imageIds, MOST.results))
      Object.assign(results, await call('POST', '/api/segmentation/batch/results', { imageIds: some }));
    const isOpen = (id: string) => results[id] === null && !queue.has(id);
    const failed = imageIds.some(isOpen) ? await failedIds() : new Set<string>();
    return imageIds.map((imageId) => {
      const result = results[imageId];
      if (result) return { imageId, status: 'completed', result: true };
      const none = result === undefined ? 'unknown' : failed.has(imageId) ? 'failed' : 'uploaded';
      return { imageId, status: queue.get(imageId) ?? none, result: false };
    });
  }

  async function catchUp(handler: (event: TargetEvent) => void, connection: number): Promise<void> {
    const states = await statesOf(started.filter((id) => !told.has(id)));
    for (const { imageId, status } of states) {
      if ((status !== 'completed' && status !== 'failed') || told.has(imageId)) continue;
      told.add(imageId);
      caughtUp.add(imageId);
      handler({ imageId, status, connection });
    }
  }

  return {
    async open(given) {
      config = given;
      url = env('HUB_URL').replace(/\/$/, '');
      await signIn();
      const project = await call<{ id: string }>('POST', '/api/projects', {
        title: `delivery proof ${new Date().toISOString()}`,
      });
      projectId = project.id;
      return { name: 'cell-segmentation-hub', address: url };
    },
    async upload(files: readonly TargetFile[]) {
      const form = new FormData();
      for (const { name, bytes, mimeType } of files) form.append('images', new Blob([bytes], { type: mimeType }), name);
      const { images, failedFiles = [] } = await call<{
        images: { id: string; name: string }[];
        failedFiles?: { filename: string; reason: string }[];
      }>('POST', `/api/projects/${projectId}/images`, form);
      const ids = new Map(images.map(({ id, name }) => [name, id]));
      return files.map(({ name }): TargetUpload => {
        const imageId = ids.get(name);
        const why = failedFiles.find(({ filename }) => filename === name)?.reason;
        return imageId ? { name, imageId } : { name, rejected: why ?? 'the answer does not name it' };
      });
    },
    async start(imageIds, { threshold }) {
      started.push(...imageIds);
      for (const some of chunks(imageIds, MOST.queue))
        await call('POST', '/api/queue/batch', {
          imageIds: some,
          projectId,
          model: env('HUB_MODEL', 'hrnet'),
          threshold,
        });
    },
    results: statesOf,
    async events(handler) {
      listener = listenTo({
        url: await config.through(url),
        headers: () => ({ cookie }),
        onConnect(connection) {
          if (connection === 1 || env('HUB_CATCH_UP', 'on') === 'off') return;
          catchUp(handler, connection).catch((error: unknown) => config.log(`could not catch up: ${String(error)}`));
        },
        onEvent(name, data, connection) {
          if (name !== 'segmentation-update') return;
          const update = data as Update;
          const status = ENDS[update.status];
          if (update.projectId !== projectId || status === undefined) return;
          const isEnd = status === 'completed' || status === 'failed';
          if (isEnd && caughtUp.delete(update.imageId)) return;
          if (isEnd) told.add(update.imageId);
          handler({ imageId: update.imageId, status, connection, ...(update.error ? { code: update.error } : {}) });
        },
      });
      await listener.first;
    },
    close() {
      listener?.close();
      return Promise.resolve();
    },
  };
}
