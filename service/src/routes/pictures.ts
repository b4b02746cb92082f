import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Id, Literals, closed } from '#contract/common.ts';
import { fixedFile, fixedPicture, REVALIDATE } from '../cdn/cache-control.ts';
import { apiError, badValue, notFound, shown } from '../errors.ts';
import type { Region } from '../pictures/draw.ts';
import {
  formatFor,
  MASK_FORMATS,
  MAX_SIDE,
  nameOfWhole,
  PICTURE_FORMATS,
  type PictureFormat,
} from '../pictures/formats.ts';
import { isNotModified } from '../results/range.ts';
import { sendFile } from '../results/send-file.ts';
import { Bytes, IdParams, RANGES, SignedQuery, replies, secondsLeft } from './schemas.ts';

const Side = Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_SIDE }));
const FileQuery = Type.Object(SignedQuery, closed);
const REGION = `left,top,width,height in whole pixels, each side 1 to ${MAX_SIDE}`;
const RenderQuery = Type.Object(
  {
    region: Type.Optional(Type.String({ pattern: '^\\d{1,9},\\d{1,9},[1-9]\\d{0,3},[1-9]\\d{0,3}$', title: REGION })),
    w: Side,
    h: Side,
    q: Type.Optional(Type.Integer({ minimum: 1, maximum: 100 })),
    f: Type.Optional(Literals([...PICTURE_FORMATS, 'auto'] as const)),
    ...SignedQuery,
  },
  closed,
);
const OverlayQuery = Type.Object(
  {
    w: Side,
    f: Type.Optional(Literals([...MASK_FORMATS, 'auto'] as const)),
    v: Type.Optional(Id),
    ...SignedQuery,
  },
  closed,
);

/** @throws ApiError VALIDATION, where the part does not lie in the image or is larger than one picture may be */
function regionOf(text: string, { width, height }: { width: number; height: number }): Region {
  const [left, top, across, down] = text.split(',').map(Number) as [number, number, number, number];
  if (across > MAX_SIDE || down > MAX_SIDE || left + across > width || top + down > height)
    throw badValue('querystring.region', text, `${REGION}, within the image's ${width} x ${height}`);
  return [left, top, across, down];
}

interface Picture {
  bytes: Buffer;
  format: PictureFormat;
  /** Without its quotes. */
  tag: string;
  cacheControl: string;
  /** Names under which a CDN can forget it. */
  keys: string;
}

function sendPicture(request: FastifyRequest, reply: FastifyReply, picture: Picture) {
  const etag = `"${picture.tag}"`;
  void reply.headers({ etag, 'cache-control': picture.cacheControl });
  if (picture.cacheControl.startsWith('public')) void reply.header('surrogate-key', picture.keys);
  // A page of another host, or of this one that takes its pictures from the CDN's, may show what its address lets everybody see.
  if (request.signedUntil !== null) void reply.header('cross-origin-resource-policy', 'cross-origin');
  if (isNotModified(request.headers, etag, '')) return reply.code(304).send();
  return reply.type(`image/${picture.format}`).send(picture.bytes);
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const { picture, part } = app.pictures;
  const cdn = app.config.cdnBaseUrl !== '';
  const tags = ['pictures'];
  const common = { onRequest: app.requireScope('read'), config: { rate: 'reads' as const, signed: true } };

  app.get('/api/images/:id/file', {
    ...common,
    schema: {
      tags,
      summary: 'The original bytes, or a range of them',
      description: RANGES,
      params: IdParams,
      querystring: FileQuery,
      response: replies({ 200: Bytes('the file'), 206: Bytes('a range') }),
    },
    handler: async (request, reply) => {
      const image = await request.tenant.images.get(request.params.id.toLowerCase());
      if (!image) throw notFound('image', request.params.id);
      const { sha256, mimeType } = image;
      return sendFile(request, reply, {
        path: app.storage.path(sha256),
        mimeType,
        etag: `"${sha256}"`,
        cacheControl: fixedFile({ secondsLeft: secondsLeft(request) }),
      });
    },
  });

  app.get('/api/images/:id/render', {
    ...common,
    schema: {
      tags,
      summary: 'A derived picture, never enlarged',
      description: `The first page of the file, or the part of it that \`region\` names, scaled down to fit \`w\` and \`h\` (each ${MAX_SIDE} where it is absent); samples of more than 8 bits are stretched to their range, that of the whole image also in a part. Drawn once and kept. Parts are cut from a kept copy in tiles, so that the file is decoded once for all of them. 503 PICTURES_BUSY with Retry-After where too many wait to be drawn.`,
      params: IdParams,
      querystring: RenderQuery,
      response: replies({ 200: Bytes('the picture') }),
    },
    handler: async (request, reply) => {
      const image = await request.tenant.images.get(request.params.id.toLowerCase());
      if (!image) throw notFound('image', request.params.id);
      const { w: width, h: height, q: quality, f = 'auto' } = request.query;
      const region = request.query.region === undefined ? null : regionOf(request.query.region, image);
      const format = f === 'auto' ? formatFor(request.headers.accept, PICTURE_FORMATS, 'jpeg') : f;
      if (f === 'auto') void reply.header('vary', 'accept');
      const encoding = { width, height, quality, format };
      const source = { file: app.storage.path(image.sha256), maxPixels: app.config.maxImagePixels };
      const pathOf = (name: string) => app.storage.derivedPath(image.sha256, request.tenant.pictures + name);
      const scaled = nameOfWhole(encoding);
      const name = region ? `${region.join('_')}-${scaled}` : scaled;
      const whole = {
        path: pathOf('whole.tif'),
        describe: (to: string) => ({ kind: 'whole', to, ...source }) as const,
      };
      const bytes = region
        ? await part(pathOf(name), whole, { kind: 'region', whole: whole.path, region, ...encoding })
        : await picture(pathOf(name), async () => ({ kind: 'render', ...source, ...encoding }));
      const cacheControl = fixedPicture({ secondsLeft: secondsLeft(request), cdn });
      const tag = `${image.sha256}-${name}`;
      return sendPicture(request, reply, { bytes, format, tag, cacheControl, keys: `image-${image.id}` });
    },
  });

  app.get('/api/images/:id/overlay', {
    ...common,
    schema: {
      tags,
      summary: 'Transparent mask of the result',
      description:
        'Translucent inside of each cell, opaque along its outline, clear elsewhere. Its tag changes with the result. With `v` the address names one result, and its mask may be kept for good; 404 once there is another.',
      params: IdParams,
      querystring: OverlayQuery,
      response: replies({ 200: Bytes('the mask') }),
    },
    handler: async (request, reply) => {
      const { w, f = 'png', v } = request.query;
      const format = f === 'auto' ? formatFor(request.headers.accept, MASK_FORMATS, 'png') : f;
      if (f === 'auto') void reply.header('vary', 'accept');
      const image = await request.tenant.images.get(request.params.id.toLowerCase());
      if (!image) throw notFound('image', request.params.id);
      const mask = await request.tenant.masks.of(image);
      if (!mask) throw apiError('NOT_FOUND', `image ${image.id} has no result yet`);
      if (v !== undefined && v.toLowerCase() !== mask.resultId)
        throw apiError('NOT_FOUND', `v is ${shown(v)}: the result of image ${image.id} is ${mask.resultId}`);
      const scale = Math.min(1, (w ?? MAX_SIDE) / mask.width, MAX_SIDE / mask.height);
      const width = Math.max(1, Math.round(mask.width * scale));
      const height = Math.max(1, Math.round(mask.height * scale));
      const name = `mask-${width}.${format}`;
      const bytes = await picture(app.storage.derivedPath(mask.resultId, name), async () => ({
        kind: 'overlay',
        polygons: await request.tenant.masks.polygonsOf(mask.resultId),
        width,
        height,
        scale,
        format,
      }));
      const cacheControl = v === undefined ? REVALIDATE : fixedPicture({ secondsLeft: secondsLeft(request), cdn });
      const keys = `image-${image.id} overlay-${image.id}`;
      return sendPicture(request, reply, { bytes, format, tag: `${mask.resultId}-${name}`, cacheControl, keys });
    },
  });
};
export default routes;
