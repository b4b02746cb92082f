import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { IMAGE_STATUSES, Literals, Page, PageQuery, Text, closed, type ImageStatus } from '#contract/common.ts';
import { Image } from '#contract/images.ts';
import { formatCounts, IMAGE_COUNTS } from '#contract/index-format.ts';
import { Timeline } from '#contract/timeline.ts';
import { REVALIDATE } from '../cdn/cache-control.ts';
import { readIndex } from '../database/image-index.ts';
import { IMAGE_SORTS } from '../database/images.ts';
import { tagOf, tagsIn } from '../database/index-cache.ts';
import { readTimeline } from '../database/timeline.ts';
import { badValue, notFound } from '../errors.ts';
import { Bytes, IdParams, NoContent, replies } from './schemas.ts';

const ListQuery = Type.Object(
  {
    ...PageQuery,
    /** One status, or several with commas between. */
    status: Type.Optional(Type.String({ maxLength: 100 })),
    q: Type.Optional(Text({ maxLength: 200 })),
    sort: Type.Optional(Literals(IMAGE_SORTS)),
  },
  closed,
);

const IndexQuery = Type.Object(
  {
    q: ListQuery.properties.q,
    sort: ListQuery.properties.sort,
    first: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000 })),
    behind: Type.Optional(Type.Integer({ minimum: 0, maximum: 100_000 })),
  },
  closed,
);

/** @throws ApiError VALIDATION naming the first unknown status. */
export function parseStatuses(text: string | undefined): ImageStatus[] {
  if (text === undefined || text === '') return [];
  return text.split(',').map((name) => {
    const status = IMAGE_STATUSES.find((known) => known === name);
    if (!status) throw badValue('querystring.status', name, `one of ${IMAGE_STATUSES.join(', ')}`);
    return status;
  });
}

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const tags = ['images'];

  app.get('/api/projects/:id/images', {
    onRequest: app.requireScope('read'),
    schema: {
      tags,
      summary: 'Images of a project',
      params: IdParams,
      querystring: ListQuery,
      response: replies({ 200: Page(Image) }),
    },
    handler: async ({ tenant, params, query }) => {
      const { limit = 50, offset = 0, sort = 'createdAt', q, cursor } = query;
      await tenant.projects.need(params.id);
      const page = await tenant.images.list({
        projectId: params.id,
        statuses: parseStatuses(query.status),
        sort,
        limit,
        offset,
        ...(q === undefined ? {} : { q }),
        ...(cursor === undefined ? {} : { cursor }),
      });
      const items = page.items.map((image) => ({ ...image, thumbnailUrl: app.urls.thumbnail(image.id) }));
      return { items, total: page.total, limit, offset, nextCursor: page.nextCursor };
    },
  });
  app.get('/api/projects/:id/index', {
    onRequest: app.requireScope('read'),
    // Ids are random: a fifth of the bytes would be saved for more time than the database takes.
    compress: false,
    schema: {
      tags,
      summary: 'Id, status and colour of every image, compact',
      description:
        'Binary, documented in docs/index-format.md; contains all events up to the `seq` it carries. With `q` only the images that have it in their name, with `sort` in another order than that of creation, with `first` only so many from the beginning, and a header `image-counts` that tells how many there are of each status. With `behind` it may be kept: who goes on with its `seq` on the socket misses nothing.',
      params: IdParams,
      querystring: IndexQuery,
      response: replies({ 200: Bytes('application/octet-stream') }),
    },
    handler: async ({ tenant, params, query, headers }, reply) => {
      const { behind, first, q, sort = 'createdAt' } = query;
      const keeps = behind !== undefined && q === undefined && sort === 'createdAt';
      const answer = keeps
        ? await tenant.index(params.id, { first, behind, tags: tagsIn(headers['if-none-match']) })
        : await readIndex(tenant, params.id, query);
      if (!answer) throw notFound('project', params.id);
      if (keeps) void reply.header('etag', tagOf(answer)).header('cache-control', REVALIDATE);
      if (answer.bytes === null) return reply.code(304).send();
      if (first !== undefined) void reply.header(IMAGE_COUNTS, formatCounts(answer.counts));
      return reply.type('application/octet-stream').send(Buffer.from(answer.bytes.buffer));
    },
  });
  app.get('/api/images/:id', {
    onRequest: app.requireScope('read'),
    schema: { tags, summary: 'One image', params: IdParams, response: replies({ 200: Image }) },
    handler: async ({ tenant, params }) => {
      const image = await tenant.images.get(params.id);
      if (!image) throw notFound('image', params.id);
      const mask = image.polygonCount === null ? null : await tenant.masks.of(image);
      return {
        ...image,
        thumbnailUrl: app.urls.thumbnail(image.id),
        overlayUrl: mask && app.urls.overlay(image.id, mask.resultId),
        fileUrl: app.urls.file(image.id),
      };
    },
  });
  app.get('/api/images/:id/timeline', {
    onRequest: app.requireScope('read'),
    schema: {
      tags,
      summary: 'Every stage of an image, with times',
      params: IdParams,
      response: replies({ 200: Timeline }),
    },
    handler: async ({ tenant, params }) => {
      const image = await tenant.images.get(params.id);
      if (!image) throw notFound('image', params.id);
      return readTimeline(tenant.sql, image);
    },
  });
  app.delete('/api/images/:id', {
    onRequest: app.requireScope('write'),
    schema: { tags, summary: 'Delete an image', params: IdParams, response: replies({ 204: NoContent }) },
    handler: async ({ tenant, params }, reply) => {
      const projectId = await tenant.images.remove(params.id);
      if (projectId === null) throw notFound('image', params.id);
      await tenant.projects.changed(projectId);
      return reply.code(204).send(null);
    },
  });
};
export default routes;
