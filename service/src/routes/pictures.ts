import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Literals, closed } from '#contract/common.ts';
import { decodePolygons } from '#contract/polygons-format.ts';
import { apiError, notFound } from '../errors.ts';
import {
  MASK_FORMATS,
  PICTURE_FORMATS,
  createPictureCache,
  encodeRgba,
  formatFor,
  renderPicture,
} from '../pictures/derive.ts';
import { rasterise } from '../pictures/raster.ts';
import { entryOf } from '../results/query.ts';
import { isNotModified } from '../results/range.ts';
import { sendFile } from '../results/send-file.ts';
import { Bytes, IdParams, RANGES, replies } from './schemas.ts';

const Side = Type.Optional(Type.Integer({ minimum: 1, maximum: 4096 }));
const RenderQuery = Type.Object(
  {
    w: Side,
    h: Side,
    q: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    f: Type.Optional(Literals([...PICTURE_FORMATS, 'auto'] as const)),
  },
  closed,
);
const OverlayQuery = Type.Object({ w: Side, f: Type.Optional(Literals([...MASK_FORMATS, 'auto'] as const)) }, closed);

/** Bytes under a content hash never change. */
const IMMUTABLE = 'private, max-age=31536000, immutable';
/** The mask of an image changes with its result; its tag tells. */
const REVALIDATE = 'private, no-cache';

function sendPicture(
  request: FastifyRequest,
  reply: FastifyReply,
  bytes: Buffer,
  mimeType: string,
  tag: string,
  cacheControl: string,
) {
  void reply.headers({ etag: tag, 'cache-control': cacheControl });
  if (isNotModified(request.headers, tag, '')) return reply.code(304).send();
  return reply.type(mimeType).send(bytes);
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const picture = createPictureCache(app);
  const tags = ['pictures'];
  const common = { onRequest: app.requireScope('read'), config: { rate: 'reads' as const } };

  app.get('/api/images/:id/file', {
    ...common,
    schema: {
      tags,
      summary: 'The original bytes, or a range of them',
      description: RANGES,
      params: IdParams,
      response: replies({ 200: Bytes('the file'), 206: Bytes('a range') }),
    },
    handler: async (request, reply) => {
      const image = await app.images.get(request.params.id.toLowerCase());
      if (!image) throw notFound('image', request.params.id);
      const { sha256, mimeType } = image;
      return sendFile(request, reply, {
        path: app.storage.path(sha256),
        mimeType,
        etag: `"${sha256}"`,
        cacheControl: IMMUTABLE,
      });
    },
  });

  app.get('/api/images/:id/render', {
    ...common,
    schema: {
      tags,
      summary: 'A derived picture, never enlarged',
      params: IdParams,
      querystring: RenderQuery,
      response: replies({ 200: Bytes('the picture') }),
    },
    handler: async (request, reply) => {
      const image = await app.images.get(request.params.id.toLowerCase());
      if (!image) throw notFound('image', request.params.id);
      const { w: width, h: height, q: quality, f = 'auto' } = request.query;
      const format = f === 'auto' ? formatFor(request.headers.accept, PICTURE_FORMATS, 'jpeg') : f;
      if (f === 'auto') void reply.header('vary', 'accept');
      const name = `${width ?? ''}x${height ?? ''}q${quality ?? ''}.${format}`;
      const bytes = await picture(app.storage.derivedPath(image.sha256, name), () =>
        renderPicture(app.storage.path(image.sha256), { width, height, quality, format }, app.config.maxImagePixels),
      );
      return sendPicture(request, reply, bytes, `image/${format}`, `"${image.sha256}-${name}"`, IMMUTABLE);
    },
  });

  app.get('/api/images/:id/overlay', {
    ...common,
    schema: {
      tags,
      summary: 'Transparent mask of the result',
      params: IdParams,
      querystring: OverlayQuery,
      response: replies({ 200: Bytes('the mask') }),
    },
    handler: async (request, reply) => {
      const { w, f = 'png' } = request.query;
      const format = f === 'auto' ? formatFor(request.headers.accept, MASK_FORMATS, 'png') : f;
      if (f === 'auto') void reply.header('vary', 'accept');
      const entry = await entryOf(app.sql, request.params.id);
      if (entry.missing) throw notFound('image', request.params.id);
      const { stored } = entry;
      if (!stored) throw apiError('NOT_FOUND', `image ${request.params.id} has no result yet`);
      const scale = Math.min(1, (w ?? stored.imageWidth) / stored.imageWidth);
      const width = Math.max(1, Math.round(stored.imageWidth * scale));
      const height = Math.max(1, Math.round(stored.imageHeight * scale));
      const name = `mask-${width}.${format}`;
      const bytes = await picture(app.storage.derivedPath(stored.id, name), () =>
        encodeRgba(rasterise(decodePolygons(stored.polygons), width, height, scale), width, height, format),
      );
      return sendPicture(request, reply, bytes, `image/${format}`, `"${stored.id}-${name}"`, REVALIDATE);
    },
  });
};
export default routes;
