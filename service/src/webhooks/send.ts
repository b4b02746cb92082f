import { request as overHttp } from 'node:http';
import { request as overHttps } from 'node:https';
import { retryAfterMs } from '../inference/kserve/retry-after.ts';
import { VERSION } from '../version.ts';
import { createLookup } from './lookup.ts';
import { signedHeaders } from './sign.ts';
import { secretsOf, sendingRefusal, type WebhookConfig } from './target.ts';

export interface Message {
  id: string;
  url: string;
  body: string;
}
/** `gone`: it makes no sense to try again. */
export type Sent =
  { kind: 'sent' } | { kind: 'failed'; why: string; afterMs: number | null } | { kind: 'gone'; why: string };

interface Head {
  status: number;
  retryAfter: string | null;
}
/** On a connection of its own, which ends with the answer's head: nothing else of an answer is read. */
function post(
  url: URL,
  body: string,
  headers: Record<string, string>,
  { lookup, signal }: { lookup: ReturnType<typeof createLookup>; signal: AbortSignal },
): Promise<Head> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? overHttps : overHttp)(url, {
      method: 'POST',
      agent: false,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) },
      lookup,
      signal,
    });
    request.on('response', (reply) => {
      resolve({ status: reply.statusCode ?? 0, retryAfter: reply.headers['retry-after'] ?? null });
      reply.destroy();
    });
    request.on('error', reject);
    request.on('close', () => reject(new Error('the connection ended without an answer')));
    request.end(body);
  });
}
/** A machine with several addresses, none of which answers, gives an error without a message. */
const textOf = ({ message, code }: NodeJS.ErrnoException): string => message || code || 'no connection';

/**
 * One attempt. Only the operator's address and listed origins are asked, at addresses that no name may lead away from (`lookup.ts`), a
 * redirect is followed nowhere, and of an answer nothing but its status and `Retry-After` is looked at.
 */
export async function sendWebhook(
  message: Message,
  config: WebhookConfig,
  options: { now?: () => number; signal?: AbortSignal; lookup?: ReturnType<typeof createLookup> } = {},
): Promise<Sent> {
  const { now = Date.now, signal, lookup = createLookup() } = options;
  const refusal = sendingRefusal(message.url, config);
  if (refusal !== null) return { kind: 'gone', why: refusal };
  const limit = AbortSignal.timeout(config.webhookTimeoutMs);
  const url = new URL(message.url);
  const headers = {
    'content-type': 'application/json',
    'user-agent': `segbench/${VERSION}`,
    ...signedHeaders(message, Math.floor(now() / 1000), secretsOf(url.origin, config.webhookSecret)),
  };
  try {
    const within = { lookup, signal: signal ? AbortSignal.any([signal, limit]) : limit };
    const { status, retryAfter } = await post(url, message.body, headers, within);
    if (status >= 200 && status < 300) return { kind: 'sent' };
    const why = `answered with ${status}`;
    // RFC 9110 section 15.5.11: gone, and likely to stay so
    if (status === 410) return { kind: 'gone', why };
    return { kind: 'failed', why, afterMs: retryAfterMs(retryAfter, now()) };
  } catch (error) {
    const why = limit.aborted
      ? `no answer within ${config.webhookTimeoutMs} ms`
      : textOf(error as NodeJS.ErrnoException);
    return { kind: 'failed', why, afterMs: null };
  }
}
