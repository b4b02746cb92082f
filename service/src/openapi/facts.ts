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
  /** Its key's requests are counted. */
  limited: boolean;
  /** Has a schema for something that the client chooses. */
  validates: boolean;
  websocket: boolean;
  /** Bytes. */
  bodyLimit: number;
}

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

/** @param bodyLimit of routes that have none of their own; bytes */
export function factsOf(route: RouteOptions, bodyLimit: number): RouteFacts {
  const { params, querystring, body, headers } = route.schema ?? {};
  const scope = scopeOf(route);
  const config = (route.config ?? {}) as { public?: boolean; guarded?: boolean };
  // `guarded`: outside of `/api`, and needs a key all the same.
  const needsKey =
    config.public !== true && (route.url.startsWith('/api/') || config.guarded === true || scope !== null);
  return {
    method: String(route.method),
    url: route.url,
    scope,
    needsKey,
    limited: needsKey,
    validates: [params, querystring, body, headers].some((schema) => schema !== undefined),
    websocket: (route as { websocket?: boolean }).websocket === true,
    bodyLimit: route.bodyLimit ?? bodyLimit,
  };
}
