import swagger from '@fastify/swagger';
import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { completeDocument } from '../openapi/document.ts';
import { factsOf, keyOf, type RouteFacts } from '../openapi/facts.ts';
import { DESCRIPTION, TAGS } from '../openapi/words.ts';

interface Operation {
  summary?: string;
  description?: string;
  tags?: string[];
}
type Paths = Record<string, Record<string, Operation>>;

const escaped = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);

const AnyObject = Type.Object({}, { description: 'OpenAPI 3.1' });
const MULTIPART = {
  type: 'object',
  required: ['files'],
  properties: { files: { type: 'array', items: { type: 'string', format: 'binary' } } },
};

/** A plain list of all operations: enough to find one's way without a script from anywhere. */
export function docsPage(paths: Paths): string {
  const rows = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(
      ([method, { summary = '', description = '', tags = [] }]) =>
        `<tr><td>${escaped(tags.join(', '))}</td><td><code>${method.toUpperCase()}</code></td><td><code>${escaped(path)}</code></td>` +
        `<td>${escaped(summary)}${description ? `<br><small>${escaped(description)}</small>` : ''}</td></tr>`,
    ),
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>segbench API</title>
<style>body{font:15px/1.5 system-ui;margin:2rem auto;max-width:75rem;padding:0 1rem}td{padding:.3rem .8rem .3rem 0;vertical-align:top;border-top:1px solid #8884}</style>
<h1>segbench API</h1><p>The whole document: <a href="/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
<table>${rows.join('\n')}</table></html>`;
}

/** OpenAPI 3.1 from the routes' own schemas. Registered before the routes. */
export default fp(
  async (app: FastifyInstance) => {
    const facts = new Map<string, RouteFacts>();
    await app.register(swagger, {
      convertConstToEnum: false,
      // A multipart body is a stream that no validator sees: it is described here only.
      transform: ({ schema, url, route }) => {
        const known = factsOf(route);
        facts.set(keyOf(known), known);
        const multipart = schema?.consumes?.includes('multipart/form-data');
        // The socket plugin hides its routes; their handshake is HTTP all the same.
        const hide = schema?.hide === true && !known.websocket;
        return { schema: { ...schema, hide, ...(multipart && { body: MULTIPART }) }, url };
      },
      transformObject: (raw) =>
        completeDocument('openapiObject' in raw ? raw.openapiObject : raw.swaggerObject, facts) as object,
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'segbench',
          version: '0.1.0',
          description: DESCRIPTION,
          license: { name: 'MIT', identifier: 'MIT' },
        },
        servers: [{ url: '/', description: 'This server' }],
        tags: [...TAGS],
        components: {
          securitySchemes: {
            key: { type: 'http', scheme: 'bearer', description: 'A key, as it was given out once' },
            session: { type: 'apiKey', in: 'cookie', name: 'segbench_session', description: 'From POST /api/session' },
          },
        },
      },
    });
    const tags = ['docs'];
    app.get('/openapi.json', { schema: { tags, summary: 'This document', response: { 200: AnyObject } } }, async () =>
      app.swagger(),
    );
    app.get('/docs', { schema: { tags, summary: 'All operations, to read and to try' } }, async (_request, reply) =>
      reply.type('text/html; charset=utf-8').send(docsPage((app.swagger().paths ?? {}) as Paths)),
    );
  },
  { name: 'docs' },
);
