import { PassThrough, type Readable } from 'node:stream';
import zlib, { constants } from 'node:zlib';
import compress from '@fastify/compress';
import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { ApiError, shown } from '../errors.ts';

/**
 * Text only: binary results, pictures and files are compact already, and ranges must stay byte ranges of the file. @fastify/compress 9.2.0 adds what
 * mime-db calls compressible, `application/octet-stream` among it: a route that answers with that says `compress: false`.
 */
const COMPRESSIBLE =
  /^(application\/(json|graphql-response\+json|x-ndjson|schema\+json|manifest\+json)|text\/(html|css|plain|javascript))(;|$)/;

const isJson = (reply: FastifyReply) =>
  /^application\/(json|graphql-response\+json|x-ndjson)/.test(String(reply.getHeader('content-type')));
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

/** Encodings in which a JSON body may come. */
type BodyEncoding = 'gzip' | 'br' | 'zstd' | 'identity';
const BODY_ENCODINGS: readonly BodyEncoding[] = ['gzip', 'br', 'zstd'];
const TAKES_BODY = new Set(['POST', 'PUT', 'PATCH']);

/** Of a body; a body that is larger once it is unpacked than its route allows is refused when it gets there, not before and not later. */
const unpacking = (allowed: readonly BodyEncoding[]) => ({
  requestEncodings: [...allowed, 'identity'] satisfies BodyEncoding[],
  onUnsupportedRequestEncoding: (encoding: string) =>
    new ApiError(
      'UNSUPPORTED_MEDIA_TYPE',
      `content-encoding is ${shown(encoding)}: expected ${allowed.length > 0 ? allowed.join(', ') : 'none'}`,
    ),
  // Its fields are copied to zlib's error, so it can't be one of ours.
  onInvalidRequestPayload: (encoding: string) => ({
    name: 'Error',
    statusCode: 400,
    message: `body is not valid ${encoding}: expected what its content-encoding says`,
  }),
});

/** The library gives zstd the options of gzip. */
const zstdAt = (level: number) => {
  const options = { params: { [constants.ZSTD_c_compressionLevel]: level } };
  return {
    ...zlib,
    createZstdCompress: () => zlib.createZstdCompress(options),
    zstdCompressSync: (data: Buffer) => zlib.zstdCompressSync(data, options),
  };
};

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
    app.addHook('onRoute', (route) => {
      if (![route.method].flat().some((method) => TAKES_BODY.has(method))) return;
      route.decompress = unpacking(route.schema?.consumes?.includes('multipart/form-data') ? [] : BODY_ENCODINGS);
    });
    const { brotliQuality, gzipLevel, zstdLevel } = app.config;
    await app.register(compress, {
      globalCompression: app.config.compression,
      globalDecompression: false,
      threshold: 1024,
      encodings: ['br', 'gzip', 'zstd'],
      customTypes: COMPRESSIBLE,
      brotliOptions: {
        params: { [constants.BROTLI_PARAM_QUALITY]: brotliQuality, [constants.BROTLI_PARAM_LGWIN]: 19 },
      },
      zlibOptions: { level: gzipLevel },
      zlib: zstdAt(zstdLevel),
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
