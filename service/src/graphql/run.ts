import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { execute, type GraphQLSchema } from 'graphql';
import type { GraphqlBody, GraphqlReply } from '#contract/graphql.ts';
import { admit } from './admission.ts';
import { checkerFor } from './arguments.ts';
import { createContext } from './context.ts';
import { prepare } from './document.ts';
import { formatError, refused } from './errors.ts';
import { requestsFor } from './limits.ts';

/** Runs the operation of one HTTP request. @throws RefusedError, ApiError: nothing of it ran */
export async function runOperation(
  app: FastifyInstance,
  request: FastifyRequest,
  reply: FastifyReply,
  schema: GraphQLSchema,
  body: GraphqlBody,
  open: boolean,
): Promise<GraphqlReply> {
  const { prepared, left } = await admit(app, request, 1, () => {
    const ready = prepare(schema, body, { open, check: checkerFor(request) });
    if (ready.operation.operation === 'subscription')
      throw refused(
        'OPERATION_NOT_ALLOWED',
        'operation is a subscription: by POST only a query or a mutation is allowed; a WebSocket at this path takes it',
      );
    return ready;
  });
  if (left !== null) {
    void reply.header('ratelimit-remaining', left);
    const told = reply.getHeader('ratelimit');
    if (typeof told === 'string') void reply.header('ratelimit', told.replace(/;r=\d+/, `;r=${left}`));
  }
  const { document, operationName, variableValues, complexity } = prepared;
  const contextValue = createContext(app, request, prepared);
  const { data, errors } = await execute({ schema, document, operationName, variableValues, contextValue });
  const log = (error: unknown) => request.log.error({ err: error, operationName }, 'a field failed');
  return {
    ...(data !== undefined && { data: data as Record<string, unknown> | null }),
    ...(errors && { errors: errors.map((error) => formatError(error, log)) as GraphqlReply['errors'] }),
    extensions: { cost: { complexity, requests: requestsFor(complexity) } },
  };
}
