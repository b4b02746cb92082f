import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import { AuditRow } from '#contract/admin.ts';
import { Page, PageQuery, closed } from '#contract/common.ts';
import { decodeCursor, encodeCursor } from '../database/cursor.ts';
import { badValue } from '../errors.ts';
import { replies } from './schemas.ts';

const ORDER = { list: 'audit', sort: '-id' };
type Row = Omit<Static<typeof AuditRow>, 'at'> & { at: Date };

const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.get('/api/audit', {
    onRequest: app.requireScope('admin'),
    schema: {
      tags: ['keys'],
      summary: 'Who did what, newest first',
      querystring: Type.Object(PageQuery, closed),
      response: replies({ 200: Page(AuditRow) }),
    },
    handler: async ({ tenant: { sql, tenantId }, query: { limit = 50, offset = 0, cursor } }) => {
      if (cursor !== undefined && offset > 0) throw badValue('offset', offset, 'nothing or 0 together with cursor');
      const at = cursor === undefined ? null : decodeCursor(cursor, ORDER);
      const [rows, [counted]] = await Promise.all([
        sql<Row[]>`
          select id, at, key_id as "keyId", key_name as "keyName", action, target_type as "targetType",
            target_id as "targetId", detail
          from audit where tenant_id = ${tenantId} ${at ? sql`and id < ${Number(at.value)}` : sql``} order by id desc limit ${limit + 1} offset ${offset}`,
        sql<{ total: number }[]>`select count(*) as total from audit where tenant_id = ${tenantId}`,
      ]);
      const items = rows.slice(0, limit).map((row) => ({ ...row, at: row.at.toISOString() }));
      const last = items.at(-1);
      const nextCursor = rows.length > limit && last ? encodeCursor({ ...ORDER, value: last.id, id: '' }) : null;
      return { items, total: counted?.total ?? 0, limit, offset, nextCursor };
    },
  });
};
export default routes;
