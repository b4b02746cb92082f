import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GraphQLFieldResolver } from 'graphql';
import type { ExportStore } from '../exports/store.ts';
import { createProjectStore, type ProjectStore } from '../database/projects.ts';
import { createLoaders, type Loaders } from './loaders.ts';
import type { Prepared } from './document.ts';

/** What resolvers of one operation share. */
export interface Context {
  app: FastifyInstance;
  request: FastifyRequest;
  projects: ProjectStore;
  exports: ExportStore;
  loaders: Loaders;
  /** Whether results come with their polygons. */
  polygons: boolean;
}
export interface Resolvers {
  [type: string]: Record<string, GraphQLFieldResolver<never, Context>>;
}

export function createContext(app: FastifyInstance, request: FastifyRequest, { polygons }: Prepared): Context {
  const projects = createProjectStore(app);
  return { app, request, projects, exports: app.exports, polygons, loaders: createLoaders(app, projects, polygons) };
}
