import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import { AuditRow } from '#contract/admin.ts';
import { Page, PageQuery, closed } from '#contract/common.ts';
import { replies } from './schemas.ts';

const { cursor: _, ...OffsetQuery } = PageQuery;
type Row = Omit<Static<typeof AuditRow>, 'at'> & { at: Date };

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/api/audit', {
    onRequest: app.requireScope('admin'),
    schema: {
      tags: ['keys'],
      summary: 'Who did what, newest first',
      querystring: Type.Object(OffsetQuery, closed),
      response: replies({ 200: Page(AuditRow) }),
    },
    handler: async ({ query: { limit = 50, offset = 0 } }) => {
      const [rows, [counted]] = await Promise.all([
        app.sql<Row[]>`
          select id, at, key_id as "keyId", key_name as "keyName", action, target_type as "targetType",
            target_id as "targetId", detail
          from audit order by at desc, id desc limit ${limit} offset ${offset}`,
        app.sql<{ total: number }[]>`select count(*) as total from audit`,
      ]);
      const items = rows.map((row) => ({ ...row, at: row.at.toISOString() }));
      return { items, total: counted?.total ?? 0, limit, offset, nextCursor: null };
    },
  });
};
export default routes;
