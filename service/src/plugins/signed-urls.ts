import fp from 'fastify-plugin';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { signingKeys } from '../cdn/key.ts';
import { createSigner } from '../cdn/sign.ts';
import { createUrls, type Urls } from '../cdn/urls.ts';
import { ApiError, shown } from '../errors.ts';
import { NO_TENANT } from '../tenants/first.ts';
import type { ApiKey } from './decorators.ts';

declare module 'fastify' {
  interface FastifyInstance {
    urls: Urls;
    /** Who a signed address is: null where the request has no signature. @throws ApiError LINK_INVALID, LINK_EXPIRED */
    bearerOfUrl(request: FastifyRequest): Promise<ApiKey | null>;
  }
  interface FastifyRequest {
    /** When the signed address that was asked for expires, in seconds since 1970; null where a key was shown. */
    signedUntil: number | null;
  }
  interface FastifyContextConfig {
    /** A signed address is enough, without a key. */
    signed?: boolean;
  }
}

/** Whose things have been asked for by signed addresses; what is deleted keeps its owner. */
const OWNERS_MAX = 200_000;

/** Makes signed addresses, and believes them. */
export default fp(
  async (app: FastifyInstance) => {
    const { cdnBaseUrl, basePath, urlSigningKey, urlTtlSeconds: ttlSeconds } = app.config;
    const signer = createSigner(await signingKeys(urlSigningKey, app.storage.dataDir));
    app.decorate('urls', createUrls({ signer, baseUrl: cdnBaseUrl || basePath, ttlSeconds }));
    const owners = new Map<string, string>();
    /** Whose the image or export of a signed address is. */
    async function ownerOf(id: string): Promise<string> {
      const known = owners.get(id);
      if (known !== undefined) return known;
      const [row] = await app.connections.service<{ tenantId: string }[]>`
        select p.tenant_id as "tenantId" from projects p where p.id = coalesce(
          (select i.project_id from images i where i.id = ${id}),
          (select b.project_id from exports e join batches b on b.id = e.batch_id where e.id = ${id}))`;
      if (!row) return NO_TENANT;
      if (owners.size >= OWNERS_MAX) owners.clear();
      owners.set(id, row.tenantId);
      return row.tenantId;
    }
    app.decorateRequest('signedUntil', null);
    app.decorate('bearerOfUrl', async (request: FastifyRequest) => {
      const { signature, expires } = request.query as Record<string, unknown>;
      if (request.routeOptions.config.signed !== true || signature === undefined) return null;
      const verdict = signer.verify(request.raw.url ?? '');
      if (verdict.valid) {
        request.signedUntil = verdict.expires;
        const { id, exportId } = request.params as { id?: string; exportId?: string };
        const tenantId = await ownerOf((id ?? exportId ?? '').toLowerCase());
        return { id: '', name: 'signed address', scopes: ['read'], tenantId };
      }
      // Guesses are counted like guesses of keys.
      await app.limitAddress(request);
      if (verdict.expired)
        throw new ApiError(
          'LINK_EXPIRED',
          `expires is ${shown(expires)}: expected a time to come; ask for the address anew`,
        );
      throw new ApiError(
        'LINK_INVALID',
        `signature is ${shown(signature)}: expected the one that this server gave out with exactly this path and query`,
      );
    });
  },
  { name: 'signed-urls', dependencies: ['services', 'limiter'] },
);
