import { retryAfterMs } from '../inference/kserve/retry-after.ts';
import { VERSION } from '../version.ts';
import { signedHeaders } from './sign.ts';
import { refusalOf, type WebhookConfig } from './target.ts';

export interface Message {
  id: string;
  url: string;
  body: string;
}
/** `gone`: it makes no sense to try again. */
export type Sent =
  { kind: 'sent' } | { kind: 'failed'; why: string; afterMs: number | null } | { kind: 'gone'; why: string };

const causeOf = (error: unknown): string => {
  const { message, cause } = error as Error & { cause?: { code?: string; message?: string } };
  return cause ? `${message}: ${cause.code ?? cause.message ?? ''}` : message;
};

/**
 * One attempt. Only listed origins are asked, a redirect is followed nowhere (it could lead to any host), and of an answer nothing but
 * its status is read.
 */
export async function sendWebhook(
  message: Message,
  config: WebhookConfig,
  options: { now?: () => number; signal?: AbortSignal } = {},
): Promise<Sent> {
  const { now = Date.now, signal } = options;
  const refusal = refusalOf(message.url, config.webhookOrigins);
  if (refusal !== null) return { kind: 'gone', why: refusal };
  const limit = AbortSignal.timeout(config.webhookTimeoutMs);
  try {
    const reply = await fetch(message.url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        'user-agent': `segbench/${VERSION}`,
        ...signedHeaders(message, Math.floor(now() / 1000), config.webhookSecret),
      },
      body: message.body,
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    await reply.body?.cancel().catch(() => {});
    if (reply.status >= 200 && reply.status < 300) return { kind: 'sent' };
    const why = `answered with ${reply.status}`;
    // RFC 9110 section 15.5.11: gone, and likely to stay so
    if (reply.status === 410) return { kind: 'gone', why };
    return { kind: 'failed', why, afterMs: retryAfterMs(reply.headers.get('retry-after'), now()) };
  } catch (error) {
    const why = limit.aborted ? `no answer within ${config.webhookTimeoutMs} ms` : causeOf(error);
    return { kind: 'failed', why, afterMs: null };
  }
}
