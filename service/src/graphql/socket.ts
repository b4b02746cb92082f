import type { WebSocket } from '@fastify/websocket';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { GraphQLError, subscribe, type ExecutionArgs, type GraphQLSchema } from 'graphql';
import { makeServer, type Server } from 'graphql-ws';
import { CLOSE_TRY_AGAIN_LATER, HEARTBEAT_MS } from '../contract/events.ts';
import { toApiError } from '../plugins/error-handler.ts';
import { checkerFor } from './arguments.ts';
import { admit } from './admission.ts';
import { createContext } from './context.ts';
import { prepare, type OperationRequest } from './document.ts';
import { errorsOf, formatError, refused } from './errors.ts';
import { LIMITS } from './limits.ts';
import type { SubscriptionContext } from './subscriptions.ts';

interface Extra {
  socket: WebSocket;
  request: FastifyRequest;
}
/** Nothing that this server sends is large: whoever holds this much back has stopped reading. */
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** As graphql-ws names it: an error of the server's own. */
const CLOSE_INTERNAL = 4500;
const CLOSE_BAD_REQUEST = 4400;
/** How long a socket may stay open without its first message. */
const INIT_WAIT_MS = 3_000;

/** The protocol graphql-transport-ws over sockets of `ws`: subscriptions only, each bounded like a request. */
export function createSocketServer(app: FastifyInstance, schema: GraphQLSchema, open: boolean): Server<Extra> {
  const ready = new WeakMap<ExecutionArgs, AsyncIterable<never>>();
  const log = (request: FastifyRequest) => (error: unknown) =>
    request.log.error({ err: error }, 'a subscription failed');

  async function begin(
    { socket, request }: Extra,
    payload: OperationRequest,
    count: number,
  ): Promise<ExecutionArgs | GraphQLError[]> {
    if (count > LIMITS.subscriptions)
      throw refused(
        'TOO_MANY_SUBSCRIPTIONS',
        `the socket has ${count} subscriptions: at most ${LIMITS.subscriptions} are allowed`,
      );
    const { prepared } = await admit(app, request, 0, () =>
      prepare(schema, payload, { open, check: checkerFor(request) }),
    );
    const { operation, document, operationName, variableValues } = prepared;
    if (operation.operation !== 'subscription')
      throw refused(
        'OPERATION_NOT_ALLOWED',
        `operation is a ${operation.operation}: over a socket only a subscription is allowed; POST /graphql takes the others`,
      );
    const contextValue: SubscriptionContext = { ...createContext(app, request, prepared), socket };
    const args: ExecutionArgs = { schema, document, operationName, variableValues, contextValue };
    const result = await subscribe(args);
    if (!(Symbol.asyncIterator in result)) return [...(result.errors ?? [])];
    ready.set(args, result as AsyncIterable<never>);
    return args;
  }

  return makeServer<Record<string, unknown>, Extra>({
    connectionInitWaitTimeout: INIT_WAIT_MS,
    async onSubscribe({ extra, subscriptions }, _id, payload) {
      try {
        return await begin(extra, payload as OperationRequest, Object.keys(subscriptions).length);
      } catch (error) {
        return [new GraphQLError('refused', { cause: error })];
      }
    },
    // begun in `onSubscribe`, where an error is a message of its own and no result
    subscribe: (args) => ready.get(args)!,
    onError: ({ extra: { request } }, _id, _payload, errors) =>
      errors.flatMap((error) =>
        error.path === undefined && error.cause !== undefined
          ? errorsOf(logged(toApiError(error.cause), log(request)))
          : [formatError(error, log(request))],
      ),
    onNext: ({ extra: { request } }, _id, _payload, _args, { errors, ...result }) => ({
      ...result,
      ...(errors && { errors: errors.map((error) => formatError(error, log(request))) }),
    }),
  });
}

function logged<T extends { statusCode: number; cause?: unknown }>(error: T, log: (error: unknown) => void): T {
  if (error.statusCode >= 500) log(error.cause ?? error);
  return error;
}

/** Hands a socket over. It never holds more than a bounded amount for a client that does not read, and asks whether it still does. */
export function serveSocket(
  server: Server<Extra>,
  socket: WebSocket,
  request: FastifyRequest,
  heartbeatMs: number = HEARTBEAT_MS,
): void {
  // a few for each subscription
  socket.setMaxListeners(10 + 5 * LIMITS.subscriptions);
  const giveUp = () => socket.close(CLOSE_TRY_AGAIN_LATER, 'the reader stopped reading');
  let answered = true;
  socket.on('pong', () => (answered = true));
  const heartbeat = setInterval(() => {
    if (!answered) return giveUp();
    answered = false;
    socket.ping();
  }, heartbeatMs);
  const closed = server.opened(
    {
      protocol: socket.protocol,
      send(data) {
        if (socket.readyState !== socket.OPEN) return;
        if (socket.bufferedAmount > MAX_BUFFERED_BYTES) return giveUp();
        // settles when the system has taken it: the next value of a subscription waits for that
        return new Promise<void>((resolve) => socket.send(data, () => resolve()));
      },
      close: (code, reason) => socket.close(code, reason),
      onMessage: (handle) =>
        socket.on('message', (data: Buffer, isBinary: boolean) => {
          if (isBinary) return socket.close(CLOSE_BAD_REQUEST, 'Invalid message received');
          handle(data.toString()).catch((error: unknown) => {
            request.log.error({ err: error }, 'a GraphQL socket failed');
            socket.close(CLOSE_INTERNAL, 'something failed inside');
          });
        }),
    },
    { socket, request },
  );
  socket.once('close', (code, reason) => {
    clearInterval(heartbeat);
    void closed(code, String(reason));
  });
}
