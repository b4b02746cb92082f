import type { PurgeRequest } from './purge-requests.ts';

const TIMEOUT_MS = 10_000;
const TEXT_MAX = 200;

/** Why a host may not be asked; null where it may. The address is looked at as it will be asked for, not as it was written. */
export function refusalOf(url: string, hosts: readonly string[]): string | null {
  const { protocol, host, username, password } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return `${protocol} is not http or https`;
  if (username !== '' || password !== '') return 'the address carries a name or password';
  return hosts.includes(host) ? null : `${host} is not in CDN_PURGE_HOSTS`;
}

/**
 * Sends a purge. A redirect is a failure: it could lead to any host. 404 means that there is nothing to forget.
 * @throws Error that says what was answered
 */
export async function sendPurge(
  request: PurgeRequest,
  hosts: readonly string[],
  { fetch: send = fetch, timeoutMs = TIMEOUT_MS } = {},
): Promise<void> {
  const refusal = refusalOf(request.url, hosts);
  if (refusal !== null) throw new Error(`purge not sent: ${refusal}`);
  const { method, url, headers, body } = request;
  const reply = await send(url, {
    method,
    headers,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
    ...(body === undefined ? {} : { body }),
  });
  const text = (await reply.text()).slice(0, 10_000);
  if (reply.status === 404 && body === undefined) return;
  // Cloudflare says in the body whether it worked.
  if (reply.status < 200 || reply.status > 299 || /"success"\s*:\s*false/.test(text))
    throw new Error(`purge answered with ${reply.status}: ${text.slice(0, TEXT_MAX)}`);
}
