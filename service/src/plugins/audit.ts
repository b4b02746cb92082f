import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { AuditEntry } from '../tenants/audit.ts';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** `/api/projects/:id/images` → `images`: the last fixed part of the route that is not a verb. */
export function targetTypeOf(route: string): string {
  const parts = route.split('/').filter((part) => part !== '' && part !== 'api' && !part.startsWith(':'));
  const verbs = new Set(['pause', 'resume', 'cancel', 'retry', 'rotate']);
  return parts.filter((part) => !verbs.has(part)).at(-1) ?? 'unknown';
}

const targetIdOf = (request: FastifyRequest): string | null =>
  request.audit?.targetId ?? (request.params as { id?: string } | undefined)?.id ?? null;

/** What one change says of itself. */
export type RequestAudit = Omit<AuditEntry, 'by'>;
declare module 'fastify' {
  interface FastifyInstance {
    /** Never rejects: the change is committed, and its reply must not become an error. */
    writeAudit(request: FastifyRequest, entry: RequestAudit): Promise<void>;
  }
}

/** Who changed what: one row for each request that changed something, written before its reply leaves. */
export default fp(
  async (app: FastifyInstance) => {
    app.decorateRequest('audit', null);
    app.decorate('writeAudit', (request: FastifyRequest, entry: RequestAudit) =>
      request.tenant.writeAudit({ ...entry, by: request.apiKey }),
    );
    app.addHook('preSerialization', async (request, _reply, payload) => {
      const id = (payload as { id?: unknown } | null)?.id;
      if (!SAFE.has(request.method) && typeof id === 'string') request.audit = { targetId: id, ...request.audit };
      return payload;
    });
    app.addHook('onSend', async (request, reply, payload) => {
      const { url = '', config } = request.routeOptions;
      if (SAFE.has(request.method) || !url.startsWith('/api/') || config.audit === false || reply.statusCode >= 400)
        return payload;
      await app.writeAudit(request, {
        action: `${request.method} ${url}`,
        targetType: request.audit?.targetType ?? targetTypeOf(url),
        targetId: targetIdOf(request),
        detail: request.audit?.detail,
      });
      return payload;
    });
  },
  { name: 'audit', dependencies: ['services', 'auth'] },
);
