import type { HttpClient } from '../http-client.ts';
import type { PageRequest } from './network.ts';

/** Bytes on the wire, with gzip offered, of every script and style that the page loaded before its first cells. */
export async function bundleGzipBytes(client: HttpClient, requests: readonly PageRequest[]): Promise<number> {
  const paths = new Set(
    requests
      .filter(({ type }) => type === 'Script' || type === 'Stylesheet')
      .map(({ url }) => {
        const { pathname, search } = new URL(url);
        return pathname + search;
      }),
  );
  let bytes = 0;
  for (const path of paths) {
    const reply = await client.request(path, { headers: { 'accept-encoding': 'gzip' } });
    if (reply.status !== 200) throw new Error(`bundle: ${path}: status ${reply.status}`);
    bytes += reply.body.length;
  }
  return bytes;
}
