import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Key, KeyBody, NewKey } from '#contract/admin.ts';
import { Page, PageQuery, closed } from '#contract/common.ts';
import type { KeyRow } from '../database/keys.ts';
import { badValue, notFound } from '../errors.ts';
import { IdParams, NoContent, replies } from './schemas.ts';

const iso = (date: Date | null) => date?.toISOString() ?? null;
const shownKey = ({ id, name, scopes, createdAt, expiresAt, revokedAt, lastUsedAt }: KeyRow): Key => ({
  id,
  name,
  scopes: [...scopes],
  createdAt: createdAt.toISOString(),
  expiresAt: iso(expiresAt),
  revokedAt: iso(revokedAt),
  lastUsedAt: iso(lastUsedAt),
});

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const tags = ['keys'];
  const onRequest = app.requireScope('admin');

  app.post('/api/keys', {
    onRequest,
    schema: {
      tags,
      summary: 'Make a key; its token is in this reply only',
      body: KeyBody,
      response: replies({ 201: NewKey }),
    },
    handler: async ({ body }, reply) => {
      const expiresAt = body.expiresAt ? new Date(body.expiresAt) : null;
      if (expiresAt && !(expiresAt.getTime() > Date.now()))
        throw badValue('body.expiresAt', body.expiresAt, 'a time to come');
      const row = await app.keys.create(body.name, body.scopes, expiresAt);
      return reply.code(201).send({ ...shownKey(row), token: row.token });
    },
  });
  app.get('/api/keys', {
    onRequest,
    schema: {
      tags,
      summary: 'All keys, without their tokens',
      querystring: Type.Object(PageQuery, closed),
      response: replies({ 200: Page(Key) }),
    },
    handler: async ({ query: { limit = 50, offset = 0, cursor } }) => {
      const { rows, total, nextCursor } = await app.keys.list(limit, offset, cursor);
      return { items: rows.map(shownKey), total, limit, offset, nextCursor };
    },
  });
  app.delete('/api/keys/:id', {
    onRequest,
    schema: { tags, summary: 'Revoke a key and its sessions', params: IdParams, response: replies({ 204: NoContent }) },
    handler: async ({ params }, reply) => {
      if (!(await app.keys.revoke(params.id))) throw notFound('key', params.id);
      return reply.code(204).send(null);
    },
  });
};
export default routes;
