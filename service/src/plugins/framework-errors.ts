import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { apiError, shown, type ApiError } from '../errors.ts';
import { errorBody } from './error-handler.ts';
import { BARE_HEADERS } from './security.ts';

export const MAX_PARAM_LENGTH = 200;

/** What the router refuses before any route, hook or error handler is reached: answered in the service's own shape. */
export function frameworkErrors(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const path = shown(request.url.split('?')[0]);
  const answer =
    error.code === 'FST_ERR_MAX_PARAM_LENGTH'
      ? apiError('VALIDATION', `path is ${path}: expected parts of at most ${MAX_PARAM_LENGTH} characters`)
      : request.url.startsWith('/')
        ? apiError('BAD_REQUEST', `path is ${path}: expected percent-encoded UTF-8`)
        : apiError('BAD_REQUEST', `target is ${path}: expected a path, or an http address`);
  void reply
    .code(answer.statusCode)
    .headers(BARE_HEADERS)
    .type('application/json; charset=utf-8')
    .send(errorBody(answer));
}

const BY_CODE: Readonly<Record<string, ApiError>> = {
  ERR_HTTP_REQUEST_TIMEOUT: apiError('REQUEST_TIMEOUT'),
  HPE_HEADER_OVERFLOW: apiError('HEADERS_TOO_LARGE'),
};

const BARE_LINES = Object.entries(BARE_HEADERS)
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join('');

/** The answer to a request that arrived whole before the one that is refused: Node keeps it at the socket. */
function answerBefore(socket: Socket): ServerResponse | undefined {
  const { _httpMessage: response } = socket as Socket & { _httpMessage?: ServerResponse | null };
  return response?.req.complete === true && !response.writableFinished ? response : undefined;
}
const refused = new WeakSet<Socket>();

/** What Node's parser refuses before there is a request. Answers that are still on their way go first: they would be taken for this one. */
export function clientErrorHandler(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || refused.has(socket)) return;
  refused.add(socket);
  answerInTurn(error, socket);
}

function answerInTurn(error: Error & { code?: string }, socket: Socket): void {
  if (socket.destroyed) return;
  const before = answerBefore(socket);
  if (before) {
    // By then the next one has its place at the socket.
    before.once('close', () => setImmediate(answerInTurn, error, socket));
    return;
  }
  const answer = BY_CODE[error.code ?? ''] ?? apiError('BAD_REQUEST', 'what was sent is not HTTP/1.1');
  const body = JSON.stringify(errorBody(answer));
  if (socket.writable)
    socket.write(
      `HTTP/1.1 ${answer.statusCode} ${STATUS_CODES[answer.statusCode]}\r\ncontent-type: application/json; charset=utf-8\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n${BARE_LINES}\r\n${body}`,
    );
  socket.destroySoon();
}
