import { readFile } from 'node:fs/promises';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { WebSocket } from '@fastify/websocket';
import type { FastifyRequest } from 'fastify';
import { CLOSE_GOING_AWAY } from '#contract/events.ts';
import type { ErrorBody } from '#contract/common.ts';
import { GraphqlBody, GraphqlReply } from '#contract/graphql.ts';
import { ApiError } from '../errors.ts';
import { refuseForeignOrigin } from '../events/origin.ts';
import { RefusedError, refused } from '../graphql/errors.ts';
import { credentialsOf } from '../plugins/auth.ts';
import { runOperation } from '../graphql/run.ts';
import { createSchema } from '../graphql/schema.ts';
import { createSocketServer, serveSocket } from '../graphql/socket.ts';
import { GRAPHQL_RESPONSE, wantsGraphqlResponse, wantsPage } from '../graphql/media.ts';
import { pageAt } from '../way-to-root.ts';
import { replies } from './schemas.ts';

const FILES = {
  'explorer.html': 'text/html; charset=utf-8',
  'explorer.js': 'text/javascript; charset=utf-8',
  'explorer.css': 'text/css; charset=utf-8',
} as const;
const fileAt = (name: string) => readFile(new URL(`../graphql/explorer/${name}`, import.meta.url));

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const open = app.config.environment !== 'production';
  const schema = createSchema();
  const server = createSocketServer(app, schema, open);
  const sockets = new Set<WebSocket>();
  app.addHook('preClose', async () => {
    for (const socket of sockets) socket.close(CLOSE_GOING_AWAY, 'the server is going away');
  });
  const tags = ['graphql'];
  const places = new WeakMap<FastifyRequest, RefusedError['errors']>();
  // Whatever is refused has the fields that every route's errors have, and `errors` for clients that know GraphQL only.
  app.addHook('preSerialization', async (request, reply, payload) => {
    const { code, statusCode, message } = (payload ?? {}) as Partial<ErrorBody>;
    if (reply.statusCode < 400 || code === undefined) return payload;
    const retryAfter = reply.getHeader('retry-after');
    const extensions = { code, statusCode, ...(retryAfter !== undefined && { retryAfterSeconds: Number(retryAfter) }) };
    const errors = places.get(request) ?? [{ message, extensions }];
    if (!wantsGraphqlResponse(request.headers.accept)) return { ...(payload as ErrorBody), errors };
    // This media type knows no other fields than GraphQL's own.
    void reply.type(`${GRAPHQL_RESPONSE}; charset=utf-8`);
    return { errors };
  });

  app.post('/graphql', {
    config: { guarded: true, audit: false },
    preValidation: async ({ body }) => {
      if (Array.isArray(body))
        throw refused(
          'BATCHING_NOT_ALLOWED',
          `body is a list of ${body.length}: expected one object with query, operationName, variables`,
        );
    },
    schema: {
      tags,
      summary: 'One GraphQL query or mutation',
      description:
        'Types carry the fields of the other routes; docs/graphql.md has limits and costs. Subscriptions go over a WebSocket at the same path.',
      consumes: ['application/json'],
      body: GraphqlBody,
      response: replies({ 200: GraphqlReply }),
    },
    handler: async (request, reply) => {
      try {
        const result = await runOperation(app, request, reply, schema, request.body, open);
        if (wantsGraphqlResponse(request.headers.accept)) void reply.type(`${GRAPHQL_RESPONSE}; charset=utf-8`);
        return result;
      } catch (error) {
        if (error instanceof RefusedError) places.set(request, error.errors);
        throw error;
      }
    },
  });

  const page = open ? (await fileAt('explorer.html')).toString() : null;
  const isForPage = ({ ws, headers }: FastifyRequest) => !ws && page !== null && wantsPage(headers.accept);
  app.route({
    method: 'GET',
    url: '/graphql',
    onRequest: async (request, reply) => {
      if (isForPage(request)) return;
      await app.authenticate(request);
      await app.charge(request, 'requests', 1);
      await refuseForeignOrigin(request);
      await app.requireScope('read').call(app, request, reply);
    },
    preHandler: async (request) => {
      if (request.ws) await app.admitSocket(request);
    },
    schema: {
      tags,
      summary: 'WebSocket: GraphQL subscriptions',
      description:
        'Subprotocol `graphql-transport-ws`. Outside of production a browser gets a page to try queries with; everything else is refused.',
    },
    handler: (request, reply) => {
      if (page !== null && isForPage(request))
        return reply.type(FILES['explorer.html']).header('cache-control', 'no-cache').send(pageAt(page, request.url));
      throw new ApiError(
        'METHOD_NOT_ALLOWED',
        `method is ${request.method}: expected POST, or a WebSocket with the subprotocol graphql-transport-ws`,
        { headers: { allow: 'POST' } },
      );
    },
    wsHandler: (socket, request) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      app.access.hold(socket, credentialsOf(request));
      serveSocket(server, socket, request);
    },
  });
  if (!open) return;
  for (const name of ['explorer.js', 'explorer.css'] as const) {
    const content = await fileAt(name);
    app.get(`/graphql/${name}`, { schema: { hide: true } }, async (_request, reply) =>
      reply.type(FILES[name]).header('cache-control', 'no-cache').send(content),
    );
  }
};
export default routes;
