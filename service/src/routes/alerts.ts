import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { AlertAccepted, AlertGroup } from '#contract/alerts.ts';
import { apiError } from '../errors.ts';
import { FIRST_TENANT } from '../tenants/first.ts';
import { noteMessage } from '../webhooks/note.ts';
import { replies } from './schemas.ts';

/** Alerts come in as Alertmanager sends them, and go out signed; only keys of the operator's tenant can have the scope. */
const routes: FastifyPluginAsyncTypebox = async (app) => {
  app.post('/api/alerts', {
    onRequest: app.requireScope('metrics'),
    schema: {
      tags: ['metrics'],
      summary: 'Tell the webhook of alerts, as Alertmanager posts them',
      body: AlertGroup,
      response: replies({ 202: AlertAccepted }),
    },
    handler: async ({ body }, reply) => {
      const { webhookUrl: url } = app.config;
      if (url === '') throw apiError('CONFLICT', 'WEBHOOK_URL is not set: there is nobody to tell of alerts');
      const message = { url, type: `alert.${body.status}`, data: body };
      const target = { tenantId: FIRST_TENANT, type: 'alerts', id: null };
      return reply.code(202).send({ id: await noteMessage(app.connections.service, message, target) });
    },
  });
};
export default routes;
