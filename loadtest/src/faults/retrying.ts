import { setTimeout as sleep } from 'node:timers/promises';
import type { HttpClient, HttpReply, HttpRequest } from '../drivers/http-client.ts';

/** One try that gave no answer to go by. */
export interface Retry {
  atMs: number;
  what: string;
  why: string;
}

/** Statuses that say "not now": the outcome is unknown, or the same request may succeed later. */
const NOT_NOW = new Set([409, 425, 429]);
const isNotNow = ({ status }: HttpReply): boolean => status >= 500 || NOT_NOW.has(status);
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 1_000;

interface RetryingOptions {
  /** Gives up after this long. */
  withinMs: number;
  /** Of one try: a connection may stay open and never answer. */
  tryMs: number;
  onRetry: (retry: Retry) => void;
  signal: AbortSignal;
}

/**
 * A client that asks again until it has an answer, as one does over a line that breaks: the same request with the same body
 * and headers, an `Idempotency-Key` among them.
 */
export function createRetrying(client: HttpClient, options: RetryingOptions) {
  const { withinMs, tryMs, onRetry, signal } = options;

  async function attempt(path: string, init: HttpRequest): Promise<HttpReply | string> {
    try {
      const reply = await client.request(path, { ...init, timeoutMs: tryMs });
      return isNotNow(reply) ? `status ${reply.status} ${codeIn(reply)}` : reply;
    } catch (error) {
      signal.throwIfAborted();
      return error instanceof Error ? ((error as NodeJS.ErrnoException).code ?? error.message) : String(error);
    }
  }
  /** @throws Error naming what was asked and the last answer, after `withinMs` */
  async function request(path: string, init: HttpRequest = {}): Promise<HttpReply> {
    const what = `${init.method ?? 'GET'} ${path}`;
    const until = Date.now() + withinMs;
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2)) {
      const outcome = await attempt(path, init);
      if (typeof outcome !== 'string') return outcome;
      onRetry({ atMs: Date.now(), what, why: outcome });
      if (Date.now() > until) throw new Error(`${what}: no answer in ${withinMs} ms, at last ${outcome}`);
      await sleep(waitMs, undefined, { signal });
    }
  }
  return {
    request,
    /** One try, for what must not be sent twice; a string says why its outcome is unknown. */
    once: attempt,
    async get<T>(path: string): Promise<T> {
      const reply = await request(path);
      if (reply.status !== 200) throw new Error(`GET ${path}: status ${reply.status}: ${reply.body.toString()}`);
      return JSON.parse(reply.body.toString()) as T;
    },
  };
}
export type Retrying = ReturnType<typeof createRetrying>;

function codeIn({ body }: HttpReply): string {
  try {
    const { code } = JSON.parse(body.toString()) as { code?: unknown };
    return typeof code === 'string' ? code : '';
  } catch {
    return '';
  }
}
