import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyRequest } from 'fastify';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** `/api/projects/:id/images` → `images`: the last fixed part of the route that is not a verb of a batch. */
export function targetTypeOf(route: string): string {
  const parts = route.split('/').filter((part) => part !== '' && part !== 'api' && !part.startsWith(':'));
  const verbs = new Set(['pause', 'resume', 'cancel', 'retry']);
  return parts.filter((part) => !verbs.has(part)).at(-1) ?? 'unknown';
}

const targetIdOf = (request: FastifyRequest): string | null =>
  request.audit?.targetId ?? (request.params as { id?: string } | undefined)?.id ?? null;

/** Who changed what: one row for each request that changed something, written before its reply leaves. */
export default fp(
  async (app: FastifyInstance) => {
    app.decorateRequest('audit', null);
    app.addHook('preSerialization', async (request, _reply, payload) => {
      const id = (payload as { id?: unknown } | null)?.id;
      if (!SAFE.has(request.method) && typeof id === 'string') request.audit = { targetId: id, ...request.audit };
      return payload;
    });
    app.addHook('onSend', async (request, reply, payload) => {
      const { url = '', config } = request.routeOptions;
      if (SAFE.has(request.method) || !url.startsWith('/api/') || config.audit === false || reply.statusCode >= 400)
        return payload;
      const { id, name } = request.apiKey;
      try {
        await app.sql`
          insert into audit (key_id, key_name, action, target_type, target_id, detail)
          values (${id || null}, ${name || null}, ${`${request.method} ${url}`}, ${targetTypeOf(url)}, ${targetIdOf(request)},
            ${request.audit?.detail ? app.sql.json(request.audit.detail as Record<string, string>) : null})`;
      } catch (error) {
        // The change is committed: its reply must not become an error.
        request.log.error({ err: error, action: url }, 'audit row lost');
      }
      return payload;
    });
  },
  { name: 'audit', dependencies: ['services', 'auth'] },
);
