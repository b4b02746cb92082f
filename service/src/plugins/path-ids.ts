import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';

interface ObjectSchema {
  properties?: Record<string, { format?: string }>;
}

/** Names of a schema's fields that are ids. */
export function idFields(schema: unknown): string[] {
  const { properties = {} } = (schema ?? {}) as ObjectSchema;
  return Object.entries(properties)
    .filter(([, field]) => field.format === 'uuid')
    .map(([name]) => name);
}

/** An id in an address is the same in either case (RFC 9562 section 4); inside they are in lower case, as PostgreSQL writes them. */
export default fp(
  async (app: FastifyInstance) => {
    app.addHook('onRoute', (route) => {
      const names = idFields(route.schema?.params);
      if (names.length === 0) return;
      const before = route.preHandler ?? [];
      route.preHandler = [
        async (request) => {
          const params = request.params as Record<string, string>;
          for (const name of names) params[name] = params[name]!.toLowerCase();
        },
        ...(Array.isArray(before) ? before : [before]),
      ];
    });
  },
  { name: 'path-ids' },
);
