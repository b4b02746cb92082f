import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GraphQLFieldResolver } from 'graphql';
import type { Tenant } from '../tenants/tenant.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import type { Prepared } from './document.ts';

/** What resolvers of one operation share. */
export interface Context {
  app: FastifyInstance;
  request: FastifyRequest;
  tenant: Tenant;
  loaders: Loaders;
  /** Whether results come with their polygons. */
  polygons: boolean;
}
export interface Resolvers {
  [type: string]: Record<string, GraphQLFieldResolver<never, Context>>;
}

export function createContext(app: FastifyInstance, request: FastifyRequest, { polygons }: Prepared): Context {
  const { tenant } = request;
  return { app, request, tenant, polygons, loaders: createLoaders(tenant, polygons) };
}
