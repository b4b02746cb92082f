import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import type { CacheServer } from '../cache.ts';
import type { Config } from '../config.ts';
import type { Scope } from '#contract/common.ts';
import type { Metrics } from '../metrics.ts';
import type { Storage } from '../storage.ts';
import type { Traces } from '../traces/traces.ts';
import type { Connections } from '../tenants/connections.ts';
import type { Tenant } from '../tenants/tenant.ts';

/** Who asks: the key itself, or the key that a session was made from. */
export interface ApiKey {
  id: string;
  name: string;
  scopes: readonly Scope[];
  /** Whose rows it sees. */
  tenantId: string;
}

/** What a mutation says of itself beside method, route and target; see `plugins/audit.ts`. */
export interface AuditNote {
  /** Where it is not what the route is named after. */
  targetType?: string;
  targetId?: string;
  detail?: Record<string, unknown>;
}

/** What the service is made of, opened by the role that runs it. */
export interface Services {
  config: Config;
  connections: Connections;
  metrics: Metrics;
  cache: CacheServer;
  storage: Storage;
  /** None where nothing is traced. */
  traces?: Traces | null;
}

declare module 'fastify' {
  interface FastifyInstance extends Omit<Services, 'traces'> {
    /** What routes may touch of a tenant; the only way to its rows. */
    tenantOf: (tenantId: string) => Tenant;
    /** As `onRequest` or `preHandler` of a route: 403 unless the key has the scope. */
    requireScope(scope: Scope): onRequestAsyncHookHandler;
  }
  interface FastifyRequest {
    apiKey: ApiKey;
    /** Of the key. */
    tenant: Tenant;
    /** True when a cookie, not a bearer key, says who asks. */
    bySession: boolean;
    audit: AuditNote | null;
  }
  interface FastifyContextConfig {
    /** Needs no key. */
    public?: boolean;
    /** Needs a key although it lies outside of `/api`. */
    guarded?: boolean;
    /** False for a POST that changes nothing, and so leaves no audit row. */
    audit?: boolean;
    /** Which limit counts beside `requests`. */
    rate?: 'uploads' | 'reads' | 'exports';
  }
}

export type { FastifyRequest };
