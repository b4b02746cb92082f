import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';

interface ObjectSchema {
  properties?: Record<string, { type?: string }>;
}

/** Names of a query schema's fields that are numbers. */
export function numericFields(schema: unknown): string[] {
  const { properties = {} } = (schema ?? {}) as ObjectSchema;
  return Object.entries(properties)
    .filter(([, field]) => field.type === 'integer' || field.type === 'number')
    .map(([name]) => name);
}

/** Query strings are text: fields declared as numbers become numbers where they read as one, nothing else is coerced. */
export function withNumbers(query: Record<string, unknown>, names: readonly string[]): void {
  for (const name of names) {
    const value = query[name];
    if (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value)) query[name] = Number(value);
  }
}

export default fp(
  async (app: FastifyInstance) => {
    app.addHook('onRoute', (route) => {
      const names = numericFields(route.schema?.querystring);
      if (names.length === 0) return;
      const before = route.preValidation ?? [];
      route.preValidation = [
        async (request) => withNumbers(request.query as Record<string, unknown>, names),
        ...(Array.isArray(before) ? before : [before]),
      ];
    });
    // A POST without a body may still say `application/json`.
    const parse = app.getDefaultJsonParser('error', 'error');
    // Fastify's own would take any text for a body.
    app.removeContentTypeParser(['application/json', 'text/plain']);
    app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
      if (body === '') done(null, undefined);
      else void parse(request, body as string, done);
    });
  },
  { name: 'validation' },
);
