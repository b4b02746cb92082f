import cookie from '@fastify/cookie';
import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { createKeyStore, KEYS_CHANNEL, type KeyStore } from '../database/keys.ts';
import { apiError } from '../errors.ts';
import { createAccessGuard, type AccessGuard, type Credentials } from '../events/access.ts';
import { listenTo } from '../events/listener.ts';
import { NO_TENANT } from '../tenants/first.ts';
import type { ApiKey } from './decorators.ts';

declare module 'fastify' {
  interface FastifyInstance {
    keys: KeyStore;
    /** Ends sockets whose key or session has ended. */
    access: AccessGuard;
    /** Who asks, without refusing: for routes outside of `/api`. */
    identify(request: FastifyRequest): Promise<ApiKey | null>;
    /** Sets `request.apiKey`. @throws ApiError UNAUTHENTICATED, FOREIGN_ORIGIN */
    authenticate(request: FastifyRequest): Promise<void>;
  }
}

export const SESSION_COOKIE = 'segbench_session';
const NOBODY: ApiKey = { id: '', name: '', scopes: [], tenantId: NO_TENANT };
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export const bearerOf = (request: FastifyRequest): string | undefined =>
  /^Bearer +([\x21-\x7e]+)$/i.exec(request.headers.authorization ?? '')?.[1];

/** What a request shows of who asks; a bearer key goes before a cookie, and a header that is no key hides the cookie. */
export const credentialsOf = (request: FastifyRequest): Credentials => ({
  token: bearerOf(request),
  session: request.headers.authorization === undefined ? request.cookies[SESSION_COOKIE] : undefined,
});

/** A page of another site can send the cookie's owner's browser here, but not hide where it comes from (RFC 6454). */
export function isOwnOrigin(origin: string | undefined, host: string | undefined): boolean {
  if (origin === undefined || host === undefined || !URL.canParse(origin)) return false;
  return new URL(origin).host === host.toLowerCase();
}

/**
 * Whether a page may have sent this by its visitor's cookie. Browsers name the origin of everything that changes something, and
 * say where it comes from (Fetch Metadata); a program says neither, and nobody lured it here.
 */
export function isFromOwnPage(headers: FastifyRequest['headers']): boolean {
  const { origin, host, 'sec-fetch-site': site } = headers;
  if (origin !== undefined) return isOwnOrigin(origin, host);
  return site === undefined || site === 'same-origin' || site === 'none';
}

/** Every `/api` route needs a key, unless its config says `public`; others do where it says `guarded`. 401 comes before 400 and 404. */
export default fp(
  async (app: FastifyInstance) => {
    await app.register(cookie);
    const { sessionSeconds, keyTrustMs: trustMs } = app.config;
    app.decorate('keys', createKeyStore(app.connections.service, { sessionSeconds, trustMs }));
    app.decorate(
      'access',
      createAccessGuard(app.keys, (error) => app.log.warn(error, 'a key could not be looked up')),
    );
    const changed = () => {
      app.keys.forget();
      app.access.recheck();
    };
    const listener = listenTo({
      databaseUrl: app.config.databaseUrl,
      channels: [KEYS_CHANNEL],
      onNotify: changed,
      onConnected: changed,
    });
    app.addHook('onClose', () => listener.close());
    app.decorateRequest('apiKey', { getter: () => NOBODY });
    app.decorateRequest('bySession', false);
    app.decorate('identify', async (request: FastifyRequest) => {
      const { token, session } = credentialsOf(request);
      // Guesses are counted by address, and over its limit not even looked up; a key that has proved good is not.
      if (!app.keys.isFamiliar({ token, session })) await app.limitAddress(request);
      if (token !== undefined) return app.keys.byToken(token);
      if (session === undefined) return null;
      request.bySession = true;
      return app.keys.bySession(session);
    });
    app.decorate('requireScope', (scope) => {
      const check: onRequestAsyncHookHandler = async (request) => {
        if (!request.apiKey.scopes.includes(scope))
          throw apiError(
            'FORBIDDEN',
            `key ${request.apiKey.name} has scopes ${request.apiKey.scopes.join(', ')}: ${scope} is needed`,
          );
      };
      // The document reads it here.
      return Object.assign(check, { scope });
    });
    app.decorate('authenticate', async (request: FastifyRequest) => {
      const key = (await app.bearerOfUrl(request)) ?? (await app.identify(request));
      if (!key) throw apiError('UNAUTHENTICATED');
      Object.defineProperty(request, 'apiKey', { value: key, configurable: true });
      if (request.bySession && !SAFE.has(request.method) && !isFromOwnPage(request.headers))
        throw apiError(
          'FOREIGN_ORIGIN',
          `Origin is ${request.headers.origin ?? 'missing'}: expected this server's own`,
        );
    });
    app.addHook('onRequest', async (request) => {
      // Of the route, not of the address as it was written: `/%61pi/…` and `http://host/api/…` lead to the same one.
      const { config, url = '' } = request.routeOptions;
      const guarded = url.startsWith('/api/') ? !config.public : config.guarded === true;
      if (guarded && !request.is404) await app.authenticate(request);
    });
  },
  { name: 'auth', dependencies: ['services', 'limiter', 'signed-urls'] },
);
