import type { RawReply } from './protocol.ts';
import { accessOf } from './urls.ts';

/**
 * Why there is no reply: nobody could be reached, so that nothing has run; the connection broke; it took too long; the reply was
 * longer than it may be.
 */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
  readonly why: 'unreachable' | 'lost' | 'timeout' | 'too-long';

  constructor(why: ExchangeError['why'], message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.why = why;
  }
}

export interface ExchangeOptions {
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: Uint8Array<ArrayBuffer>;
  /** For all of it, to the last byte of the reply. */
  timeoutMs: number;
  /** Longest reply that is read. */
  limitBytes: number;
  signal?: AbortSignal | undefined;
  fetch?: typeof fetch;
}
export interface Reply extends RawReply {
  status: number;
}

const UNREACHABLE = [
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
];
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * One request and its whole reply, whatever its status. `fetch` keeps connections alive and uses them again. Redirects are not
 * followed, so that credentials go nowhere else; compression is not asked for, which would cost more than it saves.
 * @param url base URL, perhaps with credentials @param path starts with a slash
 * @throws ExchangeError, or the signal's reason
 */
export async function exchange(url: string, path: string, options: ExchangeOptions): Promise<Reply> {
  const { method = 'GET', body, timeoutMs, limitBytes, signal, fetch: request = fetch } = options;
  signal?.throwIfAborted();
  const access = accessOf(url);
  const controller = new AbortController();
  const late = () => controller.abort(new ExchangeError('timeout', `no reply within ${Math.round(timeoutMs)} ms`));
  const abort = () => controller.abort(signal?.reason);
  const timer = setTimeout(late, Math.min(timeoutMs, LONGEST_TIMER_MS));
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const response = await request(access.base + path, {
      method,
      body: body ?? null,
      headers: { 'accept-encoding': 'identity', ...options.headers, ...access.headers },
      redirect: 'manual',
      signal: controller.signal,
    });
    return { status: response.status, headers: response.headers, body: await readAll(response, limitBytes) };
  } catch (error) {
    if (controller.signal.aborted) throw controller.signal.reason;
    if (error instanceof ExchangeError) throw error;
    const { code, message } = causeOf(error);
    throw new ExchangeError(UNREACHABLE.includes(code) ? 'unreachable' : 'lost', message, { cause: error });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

async function readAll({ body, headers }: Response, limitBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  if (Number(headers.get('content-length') ?? 0) > limitBytes) {
    await body?.cancel();
    throw tooLong(limitBytes);
  }
  // Leaving the loop ends the connection.
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > limitBytes) throw tooLong(limitBytes);
    chunks.push(chunk);
  }
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
}
const tooLong = (limitBytes: number) => new ExchangeError('too-long', `reply is longer than ${limitBytes} bytes`);

/** `fetch` says "fetch failed" and "terminated"; the reason is in the cause, one for each address that was tried. */
function causeOf(error: unknown): { code: string; message: string } {
  let cause = error;
  for (let depth = 0; depth < 5 && cause instanceof Error; depth++) {
    const next = cause instanceof AggregateError ? cause.errors[0] : cause.cause;
    if (!(next instanceof Error)) break;
    cause = next;
  }
  if (!(cause instanceof Error)) return { code: '', message: String(cause) };
  const code = 'code' in cause ? String(cause.code) : '';
  return { code, message: cause.message || code || 'connection failed' };
}
