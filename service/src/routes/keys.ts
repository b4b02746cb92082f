import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { Key, KeyBody, NewKey, RotateBody, TenantName } from '#contract/admin.ts';
import { Page, PageQuery, closed } from '#contract/common.ts';
import { hasKey, listKeys, type KeyRow } from '../database/keys.ts';
import type { ApiKey } from '../plugins/decorators.ts';
import { apiError, badValue, notFound, shown } from '../errors.ts';
import { FIRST_TENANT } from '../tenants/first.ts';
import type { Tenant } from '../tenants/tenant.ts';
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

  const ofOther = Type.Object({ tenant: Type.Optional(TenantName) }, closed);

  /** Whose keys are meant: the own tenant's, or those of another one that the operator names. */
  async function tenantMeant({ apiKey, tenant, query }: FastifyRequest<{ Querystring: { tenant?: string } }>) {
    const { tenant: name } = query;
    if (name === undefined || name === (await app.keys.tenantName(apiKey.tenantId))) return tenant;
    if (apiKey.tenantId !== FIRST_TENANT)
      throw apiError('FORBIDDEN', `only a key of the operator's tenant may name another one`);
    const id = await app.keys.tenantId(name);
    if (id === null) throw apiError('NOT_FOUND', `querystring.tenant is ${shown(name)}: no tenant has that name`);
    return app.tenantOf(id);
  }
  /** What the operator did to a key of another tenant stands in that one's audit, too. */
  async function tell(tenant: Tenant, apiKey: ApiKey, action: string, targetId: string): Promise<void> {
    if (tenant.tenantId !== apiKey.tenantId)
      await tenant.writeAudit({ action, targetType: 'keys', targetId, by: null });
  }

  /** Whose a new key shall be. Who is not the operator learns nothing of what other tenants are called. */
  async function tenantFor(apiKey: ApiKey, name: string | undefined): Promise<string> {
    if (name === undefined || name === (await app.keys.tenantName(apiKey.tenantId))) return apiKey.tenantId;
    if (apiKey.tenantId !== FIRST_TENANT)
      throw apiError('FORBIDDEN', `only a key of the operator's tenant may make keys of another one`);
    if (!app.connections.walled)
      throw apiError('CONFLICT', 'without row-level security (DATABASE_ROLE=off) no second tenant can be made');
    return (await app.keys.tenantNamed(name, app.config.tenantsMax)).id;
  }

  app.post('/api/keys', {
    onRequest,
    schema: {
      tags,
      summary: 'Make a key; its token is in this reply only',
      body: KeyBody,
      response: replies({ 201: NewKey }),
    },
    handler: async (request, reply) => {
      const { body } = request;
      const expiresAt = body.expiresAt ? new Date(body.expiresAt) : null;
      if (expiresAt && !(expiresAt.getTime() > Date.now()))
        throw badValue('body.expiresAt', body.expiresAt, 'a time to come');
      const { name, scopes, tenant } = body;
      const tenantId = await tenantFor(request.apiKey, tenant);
      if (tenantId !== FIRST_TENANT && scopes.includes('metrics'))
        throw badValue('body.scopes', scopes, "no metrics: figures of the processes are the operator's tenant's alone");
      const row = await app.keys.create({ name, scopes, expiresAt, tenantId });
      await tell(app.tenantOf(tenantId), request.apiKey, 'POST /api/keys', row.id);
      if (tenant !== undefined) request.audit = { targetId: row.id, detail: { tenant } };
      return reply.code(201).send({ ...shownKey(row), token: row.token, ...(tenant !== undefined && { tenant }) });
    },
  });
  app.get('/api/keys', {
    onRequest,
    schema: {
      tags,
      summary: 'All keys of the tenant, without their tokens',
      querystring: Type.Object({ ...PageQuery, ...ofOther.properties }, closed),
      response: replies({ 200: Page(Key) }),
    },
    handler: async (request) => {
      const { limit = 50, offset = 0, cursor } = request.query;
      const tenant = await tenantMeant(request);
      const { rows, total, nextCursor } = await listKeys(tenant, limit, offset, cursor);
      return { items: rows.map(shownKey), total, limit, offset, nextCursor };
    },
  });
  app.delete('/api/keys/:id', {
    onRequest,
    schema: {
      tags,
      summary: 'Revoke a key and its sessions',
      params: IdParams,
      querystring: ofOther,
      response: replies({ 204: NoContent }),
    },
    handler: async (request, reply) => {
      const { id } = request.params;
      const tenant = await tenantMeant(request);
      // keys are changed by a role that sees those of all tenants: the tenant's own connection says first that this is one of his
      if (!(await hasKey(tenant, id)) || !(await app.keys.revoke(tenant.tenantId, id))) throw notFound('key', id);
      await tell(tenant, request.apiKey, 'DELETE /api/keys/:id', id);
      return reply.code(204).send(null);
    },
  });
  app.post('/api/keys/:id/rotate', {
    onRequest,
    schema: {
      tags,
      summary: 'Give a key a new secret; its token is in this reply only',
      params: IdParams,
      querystring: ofOther,
      body: Type.Union([RotateBody, Type.Null()]),
      response: replies({ 200: NewKey }),
    },
    handler: async (request) => {
      const { id } = request.params;
      const tenant = await tenantMeant(request);
      const overlapSeconds = request.body?.overlapSeconds ?? 0;
      const row = (await hasKey(tenant, id)) ? await app.keys.rotate(tenant.tenantId, id, overlapSeconds) : null;
      if (!row) throw notFound('key', id);
      await tell(tenant, request.apiKey, 'POST /api/keys/:id/rotate', row.id);
      request.audit = { targetId: row.id, detail: { overlapSeconds } };
      return { ...shownKey(row), token: row.token };
    },
  });
};
export default routes;
