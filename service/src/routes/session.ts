import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { NewSession, Session, SessionBody } from '#contract/admin.ts';
import { apiError } from '../errors.ts';
import { SESSION_COOKIE, bearerOf, isFromOwnPage } from '../plugins/auth.ts';
import { NoContent, replies } from './schemas.ts';

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const tags = ['session'];
  /** Of this service alone, where others share its site. */
  const cookie = { httpOnly: true, sameSite: 'strict', path: `${app.config.basePath}/` } as const;

  app.post('/api/session', {
    config: { public: true },
    // The key may also come as it does everywhere else: as a bearer token, and then without a body.
    preValidation: async (request) => {
      const key = bearerOf(request);
      if (key !== undefined) request.body ??= { key };
    },
    schema: {
      tags,
      summary: 'A cookie for a key, for pages',
      body: SessionBody,
      response: replies({ 201: NewSession }),
    },
    handler: async (request, reply) => {
      // Else another site could sign its visitors in here under a key of its own.
      if (!isFromOwnPage(request.headers))
        throw apiError(
          'FOREIGN_ORIGIN',
          `Origin is ${request.headers.origin ?? 'missing'}: expected this server's own`,
        );
      // A guess counts like any other, whether it is right or wrong.
      await app.limitAddress(request);
      const key = await app.keys.byToken(request.body.key);
      if (!key) throw apiError('UNAUTHENTICATED');
      // Who it is shows only here: a public route has no key.
      Object.defineProperty(request, 'apiKey', { value: key, configurable: true });
      request.audit = { targetId: key.id };
      const { token, expiresAt, seconds } = await app.keys.openSession(key.id);
      return reply
        .setCookie(SESSION_COOKIE, token, {
          ...cookie,
          secure: request.protocol === 'https',
          maxAge: seconds,
        })
        .code(201)
        .send({ keyId: key.id, name: key.name, scopes: [...key.scopes], expiresAt: expiresAt.toISOString() });
    },
  });
  app.get('/api/session', {
    schema: { tags, summary: 'Who asks, and what may they do', response: replies({ 200: Session }) },
    handler: async ({ apiKey: { id, name, scopes } }) => ({ keyId: id, name, scopes: [...scopes] }),
  });
  app.delete('/api/session', {
    schema: { tags, summary: 'Sign out', response: replies({ 204: NoContent }) },
    handler: async (request, reply) => {
      const token = request.cookies[SESSION_COOKIE];
      if (token !== undefined) await app.keys.closeSession(token);
      request.audit = { targetId: request.apiKey.id };
      return reply.clearCookie(SESSION_COOKIE, cookie).code(204).send(null);
    },
  });
};
export default routes;
