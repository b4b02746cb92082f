import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Page, PageQuery, closed } from '#contract/common.ts';
import { Project, ProjectBody } from '#contract/images.ts';
import { IdParams, NoContent, replies } from './schemas.ts';

const routes: FastifyPluginAsyncTypebox = async (app) => {
  const tags = ['projects'];

  app.post('/api/projects', {
    onRequest: app.requireScope('write'),
    schema: { tags, summary: 'Create a project', body: ProjectBody, response: replies({ 201: Project }) },
    handler: async (request, reply) =>
      reply.code(201).send(await request.tenant.projects.create(request.body, request.apiKey.name)),
  });
  app.get('/api/projects', {
    onRequest: app.requireScope('read'),
    schema: {
      tags,
      summary: 'All projects, oldest first',
      querystring: Type.Object(PageQuery, closed),
      response: replies({ 200: Page(Project) }),
    },
    handler: ({ tenant, query: { limit = 50, offset = 0, cursor } }) => tenant.projects.list(limit, offset, cursor),
  });
  app.get('/api/projects/:id', {
    onRequest: app.requireScope('read'),
    schema: { tags, summary: 'One project', params: IdParams, response: replies({ 200: Project }) },
    handler: ({ tenant, params }) => tenant.projects.need(params.id),
  });
  app.patch('/api/projects/:id', {
    onRequest: app.requireScope('write'),
    schema: {
      tags,
      summary: 'Rename a project, or set its pixel size',
      params: IdParams,
      body: Type.Object(Type.Partial(ProjectBody).properties, { ...closed, minProperties: 1 }),
      response: replies({ 200: Project }),
    },
    handler: ({ tenant, params, body }) => tenant.projects.update(params.id, body),
  });
  app.delete('/api/projects/:id', {
    onRequest: app.requireScope('write'),
    schema: {
      tags,
      summary: 'Delete a project and everything in it',
      params: IdParams,
      response: replies({ 204: NoContent }),
    },
    handler: async (request, reply) => {
      const { name, imageCount } = await request.tenant.projects.remove(request.params.id);
      request.audit = { targetId: request.params.id, detail: { name, images: imageCount } };
      return reply.code(204).send(null);
    },
  });
};
export default routes;
