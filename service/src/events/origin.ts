import type { FastifyRequest } from 'fastify';
import '../plugins/decorators.ts';
import { apiError } from '../errors.ts';

/** What of an upgrade request says where it comes from. */
export interface UpgradeOrigin {
  origin: string | undefined;
  host: string | undefined;
  hasBearer: boolean;
}

/**
 * Whether a socket may be opened (browsers do not apply the same-origin policy to WebSockets, RFC 6455 section 10.2).
 * An Origin must be the server's own host; a program sends none, and then needs a bearer key rather than a cookie.
 */
export function isOriginAllowed({ origin, host, hasBearer }: UpgradeOrigin): boolean {
  if (origin === undefined) return hasBearer;
  if (host === undefined || !URL.canParse(origin)) return false;
  const { protocol, host: originHost } = new URL(origin);
  return (protocol === 'http:' || protocol === 'https:') && originHost === host.toLowerCase();
}

/** As `onRequest` of a route that upgrades. @throws ApiError FOREIGN_ORIGIN */
export async function refuseForeignOrigin(request: FastifyRequest): Promise<void> {
  const { origin, host } = request.headers;
  if (!isOriginAllowed({ origin, host, hasBearer: !request.bySession }))
    throw apiError('FOREIGN_ORIGIN', `Origin is ${origin ?? 'missing'}: expected this server's own`);
}
