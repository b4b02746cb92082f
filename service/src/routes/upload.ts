import multipart from '@fastify/multipart';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { UploadReply } from '#contract/images.ts';
import { apiError } from '../errors.ts';
import { fingerprintOf } from '../ingest/fingerprint.ts';
import { boundedParts } from '../ingest/parts.ts';
import { MAX_FILES, uploadImages } from '../ingest/upload.ts';
import { IdParams, replies } from './schemas.ts';

/** Boundaries and part headers. */
const OVERHEAD_BYTES = 1024 * 1024;

/** RFC 2046 section 5.1.1; the parser's own limit is an error without a status. */
const MAX_BOUNDARY = 70;
const boundaryOf = (contentType = '') =>
  /;\s*boundary=(?:"([^"]*)"|([^\s;]*))/i.exec(contentType)?.slice(1).join('') ?? '';

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const maxBytes = MAX_FILES * app.config.maxFileBytes + OVERHEAD_BYTES;
  await app.register(multipart, {
    preservePath: true,
    throwFileSizeLimit: false,
    limits: { files: MAX_FILES, fileSize: app.config.maxFileBytes, fields: 1, headerPairs: 100 },
  });

  app.post('/api/projects/:id/images', {
    onRequest: app.requireScope('write'),
    bodyLimit: maxBytes,
    config: { rate: 'uploads' },
    schema: {
      tags: ['images'],
      summary: `Upload up to ${MAX_FILES} PNG, JPEG, TIFF or WebP files`,
      description:
        'multipart/form-data, field `files` repeated. A bad file is refused by name, its neighbours are accepted.',
      consumes: ['multipart/form-data'],
      params: IdParams,
      headers: Type.Object({ 'idempotency-key': Type.Optional(Type.String({ minLength: 1, maxLength: 200 })) }),
      response: replies({ 201: UploadReply }),
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const { projects, images: known, idempotency } = request.tenant;
      if (!request.isMultipart())
        throw apiError(
          'UNSUPPORTED_MEDIA_TYPE',
          `content-type is ${request.headers['content-type'] ?? 'missing'}: expected multipart/form-data`,
        );
      const boundary = boundaryOf(request.headers['content-type']);
      if (boundary.length > MAX_BOUNDARY)
        throw apiError(
          'BAD_REQUEST',
          `the multipart boundary has ${boundary.length} characters: expected 1 to ${MAX_BOUNDARY}`,
        );
      const length = Number(request.headers['content-length'] ?? 0);
      if (length > maxBytes)
        throw apiError('BODY_TOO_LARGE', `the body has ${length} bytes: at most ${maxBytes} are allowed`);
      await projects.need(id);
      const key = request.headers['idempotency-key'];
      const parts = () => boundedParts(request, maxBytes);
      const upload = (save?: Parameters<typeof uploadImages>[4]) =>
        uploadImages(app, request.tenant, id, parts(), save, request.span?.traceparent);
      if (key === undefined) {
        const answer = await upload();
        await published(answer);
        return reply.code(201).send(answer);
      }
      const at = { keyId: request.apiKey.id, route: `POST /api/projects/${id}/images`, key };
      const answer = await idempotency.once(
        at,
        () => fingerprintOf(parts()),
        async (save) => ({
          statusCode: 201,
          reply: await upload((tx, stored, fingerprint) => save(tx, { statusCode: 201, reply: stored, fingerprint })),
        }),
      );
      if (answer.replayed) void reply.header('idempotency-replayed', 'true');
      const body = answer.reply as UploadReply;
      await published(body, answer.replayed);
      return reply.code(201).send(body);

      async function published({ images, rejected }: UploadReply, replayed = false) {
        for (const image of images) known.own(image.id, id);
        // Many images, one project: it is the one object that has an id here.
        request.audit = {
          targetType: 'projects',
          targetId: id,
          detail: { images: images.length, rejected: rejected.length, ...(replayed && { replayed }) },
        };
        await projects.changed(id);
      }
    },
  });
};
export default routes;
