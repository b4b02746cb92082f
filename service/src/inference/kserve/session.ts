import { setTimeout as wait } from 'node:timers/promises';
import { failureOf, InferenceFailure } from '../failure.ts';
import type { ModelCard } from '../model.ts';
import type { ModelSession } from '../session.ts';
import type { EndDetail } from './balancer.ts';
import type { Outcome } from './breaker.ts';
import { exchange, ExchangeError, type Reply } from './exchange.ts';
import type { LeaseData } from './leases.ts';
import {
  decodeReply,
  encodeRequest,
  modelPath,
  ProtocolError,
  replyLimit,
  wordsOf,
  type BatchShape,
  type EncodedRequest,
} from './protocol.ts';
import { retryAfterMs } from './retry-after.ts';
import { publicUrl } from './urls.ts';

export interface KserveSessionOptions {
  card: ModelCard;
  /** The model's version: named where a server lists versions. */
  version?: string;
  /** Longest wait for one server. */
  timeoutMs: number;
  /** An endpoint for one request, none of these URLs; null when none can be had now. */
  lease: (excluding: string[]) => Promise<LeaseData | null>;
  /** How the request of a lease ended; called once for each. */
  end: (id: number, outcome: Outcome, detail?: EndDetail) => void;
  fetch?: typeof fetch;
  /** Requests that may fail before the batch does; waiting for a busy server is none. */
  attempts?: number;
  /** How long to wait for an endpoint when none can be had. */
  patienceMs?: number;
  /** Epoch ms. */
  now?: () => number;
  sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** How one request to one server went, when it gave no result. */
interface Miss {
  failure: InferenceFailure;
  outcome: Exclude<Outcome, 'ok'>;
  detail: EndDetail;
  /** Whether another server, or the same one later, may do better: it failed, is busy, or could not be reached. */
  retry: 'no' | 'failed' | 'busy' | 'unreachable';
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 250;
/** Pause of a server that is busy and does not say for how long. */
const BUSY_MS = 500;

/**
 * Inference by servers of the Open Inference Protocol v2. A request that fails by the server's fault, or finds it busy, is sent
 * to another one, or again after a pause, while the limit of the run allows: without one, time for all attempts. A run rejects with
 * InferenceFailure TIMEOUT, MODEL_ERROR, OUT_OF_MEMORY or CRASHED.
 */
export function createKserveSession(options: KserveSessionOptions): ModelSession {
  const { card, version, timeoutMs, attempts = 3, patienceMs = 5000, now = Date.now, sleep = pause } = options;
  const common = options.fetch === undefined ? {} : { fetch: options.fetch };

  /** One request to one server, whose lease it ends. */
  async function send(leased: LeaseData, batch: Batch, limitMs: number): Promise<Float32Array | Miss> {
    const { url, binary, versioned } = leased;
    const path = `${modelPath(card.name, versioned ? version : undefined)}/infer`;
    let ended: [Outcome, EndDetail?] = ['dropped'];
    try {
      const limits = { timeoutMs: limitMs, limitBytes: replyLimit(batch.shape), signal: batch.signal };
      const request = batch.encoded(binary);
      const reply = await exchange(url, path, { ...common, ...request, ...limits, method: 'POST' });
      const result = reply.status === 200 ? decodeReply(reply, card, batch.shape) : missOf(url, reply, now());
      ended = result instanceof Float32Array ? ['ok'] : [result.outcome, result.detail];
      return result;
    } catch (error) {
      if (!(error instanceof ExchangeError || error instanceof ProtocolError)) throw error;
      const miss = lossOf(url, error);
      ended = [miss.outcome, miss.detail];
      return miss;
    } finally {
      options.end(leased.id, ...ended);
    }
  }

  return {
    card,
    async run(input, width, height, count = 1, { limitMs = attempts * timeoutMs, signal } = {}) {
      if (input.length !== count * width * height)
        throw new RangeError(`input has ${input.length} values, expected ${count} × ${height} × ${width}`);
      const batch = batchOf(card, input, { count, width, height }, signal);
      const began = now();
      const until = began + limitMs;
      let tried: string[] = [];
      let failed = 0;
      let pauseMs = FIRST_PAUSE_MS;
      let last: Miss | null = null;
      /** Since when nobody can be reached. */
      let alone: number | null = null;

      for (;;) {
        signal?.throwIfAborted();
        if (now() >= until) throw lateFailure(now() - began, last);
        const leased = await options.lease(tried);
        if (leased !== null) {
          const result = await send(leased, batch, Math.max(0, Math.min(timeoutMs, until - now())));
          if (result instanceof Float32Array) return result;
          if (result.retry === 'no') throw result.failure;
          last = result;
          tried.push(leased.url);
          alone = result.retry === 'unreachable' ? (alone ?? now()) : null;
          if (result.retry === 'failed' && ++failed >= attempts && now() < until) throw result.failure;
          continue;
        }
        if (tried.length === 0 && last?.retry !== 'busy') alone ??= now();
        if (alone !== null && now() - alone >= patienceMs) throw goneFailure(now() - alone, last);
        // Nobody else: whoever was tried may be better after a pause.
        tried = [];
        await sleep(Math.max(1, Math.min(pauseMs, until - now())), signal);
        pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
      }
    },
  };
}

interface Batch {
  shape: BatchShape;
  signal: AbortSignal | undefined;
  /** Made once of each kind. @throws InferenceFailure for values that JSON cannot say */
  encoded(binary: boolean): EncodedRequest;
}
function batchOf(card: ModelCard, input: Float32Array, shape: BatchShape, signal?: AbortSignal): Batch {
  const made = new Map<boolean, EncodedRequest>();
  return {
    shape,
    signal,
    encoded(binary) {
      try {
        const request = made.get(binary) ?? encodeRequest(card, input, shape, binary);
        made.set(binary, request);
        return request;
      } catch (error) {
        throw new InferenceFailure('MODEL_ERROR', (error as Error).message, { cause: error });
      }
    },
  };
}

/** Ends early, without an error, when the signal is aborted. */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await wait(ms, undefined, signal && { signal }).catch((error: unknown) => {
    if (!signal?.aborted) throw error;
  });
}

const lateFailure = (afterMs: number, last: Miss | null) =>
  new InferenceFailure(
    'TIMEOUT',
    `deadline passed after ${Math.round(afterMs)} ms: ${last?.failure.message ?? 'no inference server was free'}`,
    { cause: last?.failure },
  );
const goneFailure = (afterMs: number, last: Miss | null) =>
  new InferenceFailure(
    'CRASHED',
    `no inference server for ${Math.round(afterMs)} ms${last === null ? '' : `: ${last.failure.message}`}`,
    { cause: last?.failure },
  );

/** A reply that is no success. */
function missOf(url: string, reply: Reply, now: number): Miss {
  const error = `${publicUrl(url)} answered ${reply.status}: ${wordsOf(reply)}`;
  const asked = retryAfterMs(reply.headers.get('retry-after'), now);
  const busy = reply.status === 429 || (reply.status === 503 && asked !== null);
  const { code } = failureOf(new Error(error));
  // A smaller batch may fit: that is for whoever made this one.
  if (code === 'OUT_OF_MEMORY')
    return { failure: new InferenceFailure(code, error), outcome: 'refused', detail: { error }, retry: 'no' };
  const failure = new InferenceFailure('MODEL_ERROR', error);
  if (busy) return { failure, outcome: 'refused', detail: { error, retryAfterMs: asked ?? BUSY_MS }, retry: 'busy' };
  return reply.status >= 500
    ? { failure, outcome: 'failed', detail: { error }, retry: 'failed' }
    : { failure, outcome: 'refused', detail: { error }, retry: 'no' };
}

/** No reply, or one that cannot be used. */
function lossOf(url: string, cause: ExchangeError | ProtocolError): Miss {
  const error = `${publicUrl(url)}: ${cause.message}`;
  const why = cause instanceof ExchangeError ? cause.why : 'wrong';
  const code = why === 'timeout' ? 'TIMEOUT' : why === 'lost' || why === 'unreachable' ? 'CRASHED' : 'MODEL_ERROR';
  const retry = why === 'unreachable' ? why : why === 'timeout' || why === 'lost' ? 'failed' : 'no';
  return { failure: new InferenceFailure(code, error, { cause }), outcome: 'failed', detail: { error }, retry };
}
