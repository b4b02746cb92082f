import { request, type ClientRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import Fastify from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import { apiError } from '../../src/errors.ts';
import errorHandler, { errorBody, toApiError } from '../../src/plugins/error-handler.ts';
import { until } from '../batches/fixture.ts';

const withCode = (code: string) => Object.assign(new Error('/secret/path failed'), { code });

describe('toApiError', () => {
  it.each([
    ['ENOSPC', 507],
    ['53100', 507],
    ['ECONNREFUSED', 503],
    ['CONNECTION_CLOSED', 503],
    ['57P01', 503],
    ['EWHATEVER', 500],
  ])('answers %s with %i and without its own message', (code, statusCode) => {
    const body = errorBody(toApiError(withCode(code)));
    expect(body.statusCode).toBe(statusCode);
    expect(body.message).not.toContain('secret');
  });

  it.each([
    'Multipart: Boundary not found',
    'Unexpected end of multipart data',
    'Part terminated early due to unexpected end of multipart data',
  ])('answers 400 when a multipart parser says: %s', (message) => {
    expect(errorBody(toApiError(new Error(message)))).toMatchObject({ statusCode: 400, code: 'BAD_REQUEST' });
  });

  it('keeps what the service says itself', () => {
    expect(errorBody(toApiError(apiError('NOT_READY', 'export 1 is running')))).toEqual({
      statusCode: 409,
      code: 'NOT_READY',
      error: 'Conflict',
      message: 'export 1 is running',
    });
  });
});

describe('what the log says of an answer that is a stream', () => {
  const closers: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  /** A service whose only answer is `stream`, and a call of it that has sent its whole body. */
  async function start(stream: () => Readable, onReply: (reply: IncomingMessage, call: ClientRequest) => void) {
    const lines: { level: number; msg: string }[] = [];
    const app = Fastify({
      logger: {
        level: 'info',
        stream: { write: (line: string) => void lines.push(JSON.parse(line) as { level: number; msg: string }) },
      },
    });
    await app.register(errorHandler);
    let made: Readable | undefined;
    app.post('/', async (_, reply) => reply.send((made = stream())));
    await app.listen({ port: 0, host: '127.0.0.1' });
    closers.push(async () => {
      app.server.closeAllConnections();
      await app.close();
    });
    const { port } = app.server.address() as AddressInfo;
    const headers = { 'content-type': 'application/json' };
    const call = request({ port, host: '127.0.0.1', method: 'POST', headers }).on('error', () => {});
    call.on('response', (reply) =>
      onReply(
        reply.on('error', () => {}),
        call,
      ),
    );
    call.end('{}');
    await until(() => made !== undefined);
    return { call, made: made!, lines, worst: () => Math.max(0, ...lines.map(({ level }) => level)) };
  }
  const INFO = 30;
  const ERROR = 50;

  it('is no error where the client left before its first byte', async () => {
    const { call, made, lines, worst } = await start(
      () => new Readable({ read() {} }),
      () => {},
    );
    call.destroy();
    await until(() => made.destroyed && lines.some(({ msg }) => msg === 'the client has left'));
    expect(worst()).toBe(INFO);
  });

  it('is no error where the client left in the middle of it', async () => {
    const half = () => {
      const stream = new Readable({ read() {} });
      stream.push('half of it');
      return stream;
    };
    const { made, worst } = await start(half, (reply, call) => void reply.once('data', () => call.destroy()));
    await until(() => made.destroyed);
    expect(worst()).toBeLessThanOrEqual(INFO);
  });

  it('is an error where the stream failed by itself', async () => {
    const { made, worst } = await start(
      () => new Readable({ read() {} }),
      () => {},
    );
    made.destroy(new Error('the database is gone'));
    await until(() => worst() === ERROR);
    expect(made.destroyed).toBe(true);
  });
});
