import fp from 'fastify-plugin';
import type { FastifyInstance } from 'fastify';
import { apiError, shown } from '../errors.ts';
import { errorBody } from './error-handler.ts';
import { BARE_HEADERS } from './security.ts';

/** A name or an address, with a port or without (RFC 9110 section 7.2); empty where the address has no host. */
const HOST = /^([\w.~!$&'()*+,;=%-]*|\[[\da-f:.]+\])(:\d{0,5})?$/i;

/** The router would take `*` for the root. */
const TARGET = /^(\/|https?:\/\/)/i;

/** What HTTP/1.1 asks of every request, whatever its route: a path (RFC 9112 section 3.2), one Host, and no expectation but 100-continue. */
export default fp(
  async (app: FastifyInstance) => {
    app.addHook('onRequest', async ({ raw }) => {
      if (!TARGET.test(raw.url ?? '') && raw.method !== 'OPTIONS')
        throw apiError('BAD_REQUEST', `target is ${shown(raw.url)}: expected a path, or an http address`);
      const hosts = raw.rawHeaders.filter((_, at) => at % 2 === 1 && raw.rawHeaders[at - 1]!.toLowerCase() === 'host');
      if (hosts.length === 0 && raw.httpVersion !== '1.1') return;
      if (hosts.length === 1 && HOST.test(hosts[0]!)) return;
      const given = hosts.length < 2 ? shown(hosts[0]) : `there ${hosts.length} times`;
      throw apiError('BAD_REQUEST', `host is ${given}: expected one name or address, with a port or without`);
    });
    app.server.on('checkExpectation', (request, response) => {
      const answer = apiError(
        'EXPECTATION_FAILED',
        `expect is ${shown(request.headers.expect)}: expected 100-continue, or none`,
      );
      const body = JSON.stringify(errorBody(answer));
      response.writeHead(answer.statusCode, {
        'content-type': 'application/json; charset=utf-8',
        'content-length': Buffer.byteLength(body),
        connection: 'close',
        ...BARE_HEADERS,
      });
      response.end(body);
    });
  },
  { name: 'addressed' },
);
