import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import { Id, Text, closed } from '../contract/common.ts';
import { ApiError, badValue, notFound } from '../errors.ts';
import { refuseForeignOrigin } from '../events/origin.ts';
import { createShown } from '../events/shown.ts';
import { credentialsOf } from '../plugins/auth.ts';

const Query = Type.Object(
  {
    projectId: Id,
    /** Of the numbering that `since` belongs to; both or neither. One that is not known gets a snapshot. */
    epoch: Type.Optional(Text({ minLength: 1, maxLength: 200 })),
    /** The last event number that the client has. */
    since: Type.Optional(Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    /** 0: one event a frame; needs the server's ALLOW_UNBATCHED_EVENTS. */
    window: Type.Optional(Type.Integer({ minimum: 0, maximum: 0 })),
  },
  closed,
);

/** `GET /api/events`: a socket with a project's events. Everything is refused before the upgrade, with a plain HTTP status. */
export default async function eventRoutes(instance: FastifyInstance) {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>();

  async function checkUpgrade(request: FastifyRequest): Promise<void> {
    // RFC 9110 section 15.5.22
    if (!request.ws)
      throw new ApiError('UPGRADE_REQUIRED', undefined, { headers: { upgrade: 'websocket', connection: 'Upgrade' } });
  }
  async function checkQuery(request: FastifyRequest): Promise<void> {
    const { projectId, epoch, since, window } = request.query as Static<typeof Query>;
    if ((epoch === undefined) !== (since === undefined))
      throw badValue(epoch === undefined ? 'epoch' : 'since', undefined, 'epoch and since together, or neither');
    if (window === 0 && app.config.eventBatching && !app.config.allowUnbatchedEvents)
      throw badValue('window', 0, 'nothing: unbatched events need ALLOW_UNBATCHED_EVENTS=1 on the server');
    const { sql, tenantId } = request.tenant;
    const [row] = await sql`
      SELECT 1 FROM projects WHERE id = ${projectId} AND deleted_at IS NULL AND tenant_id = ${tenantId}`;
    if (!row) throw notFound('project', projectId);
  }

  app.get(
    '/api/events',
    {
      websocket: true,
      onRequest: [refuseForeignOrigin, app.requireScope('read')],
      preHandler: [checkUpgrade, checkQuery, async (request) => app.admitSocket(request)],
      schema: { tags: ['events'], summary: 'WebSocket: events of a project', querystring: Query },
    },
    async (socket, request) => {
      const { projectId, epoch, since, window } = request.query as Static<typeof Query>;
      app.access.hold(socket, credentialsOf(request));
      const shown = app.traces === null ? null : createShown(app.traces);
      if (shown) socket.on('message', (data) => shown.said(data));
      const resume = epoch === undefined || since === undefined ? null : { epoch: epoch.toLowerCase(), since };
      try {
        await app.events.attach(socket, {
          projectId: projectId.toLowerCase(),
          sql: request.tenant.sql,
          resume,
          unbatched: window === 0 || !app.config.eventBatching,
          shown,
        });
      } catch (error) {
        request.log.error(error, 'a socket could not be attached');
        socket.close(1011, 'the events cannot be read now');
      }
    },
  );
}
