import { readFile } from 'node:fs/promises';
import swagger from '@fastify/swagger';
import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import { docsPage } from '../openapi/docs/page.ts';
import { completeDocument, type Document } from '../openapi/document.ts';
import { factsOf, keyOf, type RouteFacts } from '../openapi/facts.ts';
import { DESCRIPTION, TAGS } from '../openapi/words.ts';
import { VERSION } from '../version.ts';
import { wayToRoot } from '../way-to-root.ts';

const PAGE_FILES = { 'page.js': 'text/javascript; charset=utf-8', 'page.css': 'text/css; charset=utf-8' } as const;
const AnyObject = Type.Object({}, { description: 'OpenAPI 3.1' });
const MULTIPART = {
  type: 'object',
  required: ['files'],
  properties: { files: { type: 'array', items: { type: 'string', format: 'binary' } } },
};

/** OpenAPI 3.1 from the routes' own schemas. Registered before the routes. */
export default fp(
  async (app: FastifyInstance) => {
    const facts = new Map<string, RouteFacts>();
    await app.register(swagger, {
      convertConstToEnum: false,
      // A multipart body is a stream that no validator sees: it is described here only.
      transform: ({ schema, url, route }) => {
        const known = factsOf(route, app.config.maxJsonBytes);
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
          version: VERSION,
          description: DESCRIPTION,
          license: { name: 'MIT', identifier: 'MIT' },
        },
        servers: [{ url: `${app.config.basePath}/`, description: 'This server' }],
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
    app.get('/docs', { schema: { tags, summary: 'All operations, to read and to try' } }, async ({ url }, reply) =>
      reply.type('text/html; charset=utf-8').send(docsPage(app.swagger() as unknown as Document, wayToRoot(url))),
    );
    for (const [name, type] of Object.entries(PAGE_FILES)) {
      const content = await readFile(new URL(`../openapi/docs/${name}`, import.meta.url));
      app.get(`/docs/${name}`, { schema: { hide: true } }, async (_request, reply) =>
        reply.type(type).header('cache-control', 'no-cache').send(content),
      );
    }
  },
  { name: 'docs' },
);
