import type { RouteOptions } from 'fastify';
import type { Scope } from '#contract/common.ts';

/** What a route's own options say of how it may answer. */
export interface RouteFacts {
  method: string;
  /** As Fastify has it: `/api/projects/:id`. */
  url: string;
  scope: Scope | null;
  /** Answers nobody without a key or a session. */
  needsKey: boolean;
  /** Has a schema for something that the client chooses. */
  validates: boolean;
  websocket: boolean;
  /** Bytes; Fastify's default is 1 MiB. */
  bodyLimit: number;
}

const DEFAULT_BODY_LIMIT = 1024 * 1024;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

export const keyOf = ({ method, url }: Pick<RouteFacts, 'method' | 'url'>): string => `${method} ${url}`;
/** Fastify reads no body of the others. */
export const takesBody = ({ method }: RouteFacts): boolean => !SAFE.has(method);
export const isApi = ({ url }: RouteFacts): boolean => url.startsWith('/api/');

/** The scope that `requireScope` put on its hook. */
function scopeOf(route: RouteOptions): Scope | null {
  for (const hook of [route.onRequest ?? [], route.preHandler ?? []].flat())
    if ('scope' in hook) return hook.scope as Scope;
  return null;
}

export function factsOf(route: RouteOptions): RouteFacts {
  const { params, querystring, body, headers } = route.schema ?? {};
  const scope = scopeOf(route);
  const isPublic = (route.config as { public?: boolean } | undefined)?.public === true;
  return {
    method: String(route.method),
    url: route.url,
    scope,
    needsKey: !isPublic && (route.url.startsWith('/api/') || scope !== null),
    validates: [params, querystring, body, headers].some((schema) => schema !== undefined),
    websocket: (route as { websocket?: boolean }).websocket === true,
    bodyLimit: route.bodyLimit ?? DEFAULT_BODY_LIMIT,
  };
}
