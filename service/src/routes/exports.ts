import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Id, closed } from '#contract/common.ts';
import { Export, ExportBody } from '#contract/exports.ts';
import { REVALIDATE } from '../cdn/cache-control.ts';
import { sendFile } from '../results/send-file.ts';
import { Bytes, IdParams, RANGES, SignedQuery, replies } from './schemas.ts';

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const tags = ['exports'];
  const onRequest = app.requireScope('read');

  app.post('/api/batches/:id/exports', {
    onRequest,
    config: { rate: 'exports' },
    schema: {
      tags,
      summary: 'Make a file of all results of a batch',
      description:
        'Written in the background by one of the API processes, also after a restart. GET /exports/:id tells when it is ready. Of a batch that still runs it holds what is finished.',
      params: IdParams,
      body: ExportBody,
      response: replies({ 202: Export }),
    },
    handler: async ({ tenant, params, body }, reply) =>
      reply.code(202).send(await tenant.exports.create(params.id, body.format)),
  });
  app.get('/api/exports/:id', {
    onRequest,
    schema: { tags, summary: 'State of an export', params: IdParams, response: replies({ 200: Export }) },
    handler: async ({ tenant, params }) => {
      const found = await tenant.exports.get(params.id);
      return found.status === 'ready' ? { ...found, downloadUrl: app.urls.download(found.id) } : found;
    },
  });
  app.get('/api/download/:exportId', {
    onRequest,
    config: { rate: 'reads', signed: true },
    schema: {
      tags,
      summary: 'The file of an export, or a range of it',
      description: `409 NOT_READY before the export is ready. ${RANGES}`,
      params: Type.Object({ exportId: Id }, closed),
      querystring: Type.Object(SignedQuery, closed),
      response: replies({ 200: Bytes('the file'), 206: Bytes('a range') }),
    },
    handler: async (request, reply) => {
      const { path, mimeType, etag, fileName } = await request.tenant.exports.file(request.params.exportId);
      return sendFile(request, reply, {
        path,
        mimeType,
        etag,
        cacheControl: REVALIDATE,
        downloadName: fileName,
      });
    },
  });
};
export default routes;
