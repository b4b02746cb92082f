import type { FastifyInstance, FastifyRequest } from 'fastify';
import { apiError } from '../errors.ts';
import type { RateKind } from '../plugins/rate-limit.ts';
import type { Prepared } from './document.ts';
import { requestsFor } from './limits.ts';

/**
 * Lets an operation run: its key has the scopes, and its minute has room for what it costs.
 * @param paid requests that were counted already
 * @returns `left`: what is left of the minute, null where nothing more was counted
 * @throws ApiError FORBIDDEN, RATE_LIMITED, and what `prepare` throws
 */
export async function admit(
  app: FastifyInstance,
  request: FastifyRequest,
  paid: number,
  prepare: () => Prepared,
): Promise<{ prepared: Prepared; left: number | null }> {
  // Before anything is parsed: a client that is over its limit costs no more than this.
  const before = paid === 0 ? 1 : 0;
  if (before > 0) await app.charge(request, 'requests', before);
  const prepared = prepare();
  const { name, scopes } = request.apiKey;
  for (const scope of prepared.scopes)
    if (scope !== 'none' && !(scopes as readonly string[]).includes(scope))
      throw apiError('FORBIDDEN', `key ${name} has scopes ${scopes.join(', ')}: ${scope} is needed`);
  let left: number | null = null;
  const rest = requestsFor(prepared.complexity) - paid - before;
  if (rest > 0) left = await app.charge(request, 'requests', rest);
  for (const [kind, count] of prepared.rates) await app.charge(request, kind as RateKind, count);
  return { prepared, left };
}
