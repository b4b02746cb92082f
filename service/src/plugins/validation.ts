import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import { badValue } from '../errors.ts';

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

const decoded = (text: string): string | null => {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
};
/** @throws ApiError VALIDATION naming the first parameter that is not percent-encoded UTF-8; the parser would take it as it stands. */
export function refuseBadEscapes(url: string): void {
  const start = url.indexOf('?');
  if (start < 0 || !url.includes('%', start)) return;
  for (const pair of url.slice(start + 1).split('&')) {
    if (decoded(pair) !== null) continue;
    const [name = '', ...value] = pair.split('=');
    throw badValue(`querystring.${decoded(name) ?? name}`, value.join('='), 'percent-encoded UTF-8');
  }
}

const NO_FIELDS = { type: 'object', properties: {}, additionalProperties: false } as const;

export default fp(
  async (app: FastifyInstance) => {
    app.addHook('preValidation', async ({ raw }) => refuseBadEscapes(raw.url ?? ''));
    // A route of the interface that takes no parameters refuses unknown ones like every other.
    app.addHook('onRoute', (route) => {
      if (route.url.startsWith('/api/') && route.schema && route.schema.querystring === undefined)
        route.schema = { ...route.schema, querystring: NO_FIELDS };
    });
    app.addHook('onRoute', (route) => {
      const names = numericFields(route.schema?.querystring);
      if (names.length === 0) return;
      const before = route.preValidation ?? [];
      route.preValidation = [
        async (request) => withNumbers(request.query as Record<string, unknown>, names),
        ...(Array.isArray(before) ? before : [before]),
      ];
    });
  },
  { name: 'validation' },
);
