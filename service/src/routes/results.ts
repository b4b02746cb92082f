import { Readable } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Literals, closed } from '#contract/common.ts';
import { LODS, Result, ResultsBody, ResultsReply } from '#contract/results.ts';
import { apiError, notFound } from '../errors.ts';
import { writeBulk } from '../results/bulk.ts';
import { formFor, toResult } from '../results/forms.ts';
import { entriesByBatch, entriesByIds, entryOf } from '../results/query.ts';
import { IdParams, replies } from './schemas.ts';

/** Replies up to this size are sent whole, with their length. */
const WHOLE_BYTES = 64 * 1024;

async function* following(head: Buffer[], rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    yield* head;
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value;
  } finally {
    await rest.return?.();
  }
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const tags = ['results'];

  app.post('/api/segmentation/batch/results', {
    onRequest: app.requireScope('read'),
    config: { audit: false },
    schema: {
      tags,
      summary: 'Results of many images in one reply',
      description:
        'JSON, `Accept: application/x-ndjson` (one Result a line, then {missing, nextCursor}; an id in neither is known and has no result) or ' +
        '`application/vnd.segbench.polygons` (docs/polygons-format.md): what `Accept` likes best, q-values and all. A reply that ends early under maxBytes carries nextCursor: repeat the body with it.',
      body: ResultsBody,
      // Sent as bytes, in one of three forms.
      response: replies({ 200: Type.Unsafe<unknown>(ResultsReply) }),
    },
    handler: async (request, reply) => {
      const { imageIds, batchId, cursor, lod = 'high', fields, maxBytes } = request.body;
      if ((imageIds === undefined) === (batchId === undefined))
        throw apiError(
          'VALIDATION',
          `body has ${imageIds ? 'both imageIds and' : 'neither imageIds nor'} batchId: expected exactly one of them`,
        );
      const form = formFor(request.headers.accept);
      const shape = { lod, fields: fields && new Set(fields) };
      const withPolygons = !fields || fields.includes('polygons');
      const entries =
        imageIds === undefined
          ? entriesByBatch(request.tenant, batchId!.toLowerCase(), cursor, withPolygons)
          : entriesByIds(request.tenant, [...new Set(imageIds.map((id) => id.toLowerCase()))], cursor, withPolygons);
      const chunks = writeBulk(entries, form, shape, maxBytes)[Symbol.asyncIterator]();
      const head: Buffer[] = [];
      let bytes = 0;
      let done = false;
      // Reading the first chunks before answering gives errors their status, and small replies their length.
      while (!done && bytes <= WHOLE_BYTES) {
        const next = await chunks.next();
        done = next.done === true;
        if (next.done) break;
        head.push(next.value);
        bytes += next.value.length;
      }
      void reply.type(form.mimeType).header('vary', 'accept');
      if (done) return reply.send(Buffer.concat(head, bytes));
      return reply.send(Readable.from(following(head, chunks), { objectMode: false, highWaterMark: 128 * 1024 }));
    },
  });

  app.get('/api/images/:id/segmentation', {
    onRequest: app.requireScope('read'),
    config: { rate: 'reads' },
    schema: {
      tags,
      summary: 'The result of one image',
      params: IdParams,
      querystring: Type.Object({ lod: Type.Optional(Literals(LODS)) }, closed),
      response: replies({ 200: Result }),
    },
    handler: async ({ tenant, params, query }) => {
      const entry = await entryOf(tenant, params.id);
      if (entry.missing) throw notFound('image', params.id);
      if (!entry.stored) throw apiError('NOT_FOUND', `image ${params.id} has no result yet`);
      return toResult({ ...entry, stored: entry.stored }, { lod: query.lod ?? 'high', fields: undefined }) as Result;
    },
  });
};
export default routes;
