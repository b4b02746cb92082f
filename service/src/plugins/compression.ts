import { PassThrough, type Readable } from 'node:stream';
import { constants } from 'node:zlib';
import compress from '@fastify/compress';
import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** Text only: binary results, pictures and files are compact already, and ranges must stay byte ranges of the file. */
const COMPRESSIBLE =
  /^(application\/(json|x-ndjson|schema\+json|manifest\+json)|text\/(html|css|plain|javascript))(;|$)/;

const isJson = (reply: FastifyReply) => /^application\/(json|x-ndjson)/.test(String(reply.getHeader('content-type')));
const isStream = (payload: unknown): payload is Readable =>
  typeof payload === 'object' && payload !== null && 'pipe' in payload && typeof payload.pipe === 'function';

/** Passes a payload through and reports its bytes; compressed streams have no length before they end. */
function counted(payload: unknown, count: (bytes: number) => void): unknown {
  if (typeof payload === 'string' || Buffer.isBuffer(payload)) {
    count(Buffer.byteLength(payload));
    return payload;
  }
  if (!isStream(payload)) return payload;
  const meter = new PassThrough();
  meter.on('data', (chunk: Buffer) => count(chunk.length));
  payload.on('error', (error) => meter.destroy(error));
  meter.on('close', () => payload.destroy());
  return payload.pipe(meter);
}

/** Brotli 4 and gzip 6 cost about the same here; higher levels cost more time than they save on a local line. */
export default fp(
  async (app: FastifyInstance) => {
    const count = (stage: 'before' | 'after', route: string) => (bytes: number) =>
      app.metrics.compressionBytes.inc({ stage, route }, bytes);
    // Counted for every JSON reply of more than 1 KB, compressed or not, so that a client that refuses encodings shows too.
    const counts = new WeakSet<FastifyReply>();
    app.addHook('onSend', async (request, reply, payload) => {
      const small = typeof payload === 'string' && payload.length <= 1024;
      if (!isJson(reply) || small || request.method === 'HEAD') return payload;
      counts.add(reply);
      return counted(payload, count('before', request.routeOptions.url ?? ''));
    });
    await app.register(compress, {
      global: app.config.compression,
      globalDecompression: false,
      threshold: 1024,
      encodings: ['br', 'gzip'],
      customTypes: COMPRESSIBLE,
      brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 19 } },
      zlibOptions: { level: 6 },
    });
    app.addHook('onRoute', (route) => {
      const own = route.onSend ?? [];
      route.onSend = [
        ...(Array.isArray(own) ? own : [own]),
        async (request, reply, payload) =>
          counts.has(reply) ? counted(payload, count('after', request.routeOptions.url ?? '')) : payload,
      ];
    });
  },
  { name: 'compression', dependencies: ['services'] },
);
