import type { FastifyInstance } from 'fastify';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { Batch, BatchBody, Failures, RetryBody } from '../contract/batches.ts';
import { ErrorBody, Id, Page, PageQuery, closed } from '../contract/common.ts';
import { ForecastReply, Forecasts } from '../contract/forecasts.ts';
import { NowReply } from '../contract/now.ts';
import { QueueReply } from '../contract/queue.ts';

const Params = Type.Object({ id: Id }, closed);
const errors = { '4xx': ErrorBody, '5xx': ErrorBody };
/** No body, or an empty one. */
const NoFields = Type.Union([Type.Object({}, closed), Type.Null()]);
const VERBS = { pause: 'Pauses', resume: 'Resumes', cancel: 'Cancels' } as const;

/** Batches: create, look at, pause, resume, cancel, retry. */
export default async function batchRoutes(instance: FastifyInstance) {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>();
  const tags = ['batches'];
  const read = { onRequest: app.requireScope('read') };
  const write = { onRequest: app.requireScope('write') };

  app.post(
    '/api/projects/:id/batches',
    {
      ...write,
      schema: { tags, summary: 'Segment images', params: Params, body: BatchBody, response: { 202: Batch, ...errors } },
    },
    async (request, reply) =>
      reply
        .code(202)
        .send(await request.tenant.batches.create(request.params.id, request.body, request.span?.traceparent)),
  );
  app.post(
    '/api/projects/:id/forecast',
    {
      ...read,
      config: { audit: false, rate: 'reads' },
      schema: {
        tags,
        summary: 'What a batch would take, before it is started',
        params: Params,
        body: BatchBody,
        response: { 200: ForecastReply, ...errors },
      },
    },
    async ({ tenant, params, body }) => tenant.batches.forecast(params.id, body),
  );
  app.get(
    '/api/forecasts',
    {
      ...read,
      schema: { tags, summary: 'Forecasts beside what happened', response: { 200: Forecasts, ...errors } },
    },
    async ({ tenant }) => tenant.batches.forecasts(),
  );
  app.get(
    '/api/projects/:id/batches',
    {
      ...read,
      schema: {
        tags,
        summary: "A project's batches, newest first",
        params: Params,
        querystring: Type.Object(PageQuery, closed),
        response: { 200: Page(Batch), ...errors },
      },
    },
    async ({ tenant, params, query }) => {
      const { limit = 50, offset = 0, cursor } = query;
      return tenant.batches.list(params.id, { limit, offset, cursor });
    },
  );
  app.get(
    '/api/batches/:id',
    { ...read, schema: { tags, summary: 'One batch', params: Params, response: { 200: Batch, ...errors } } },
    async ({ tenant, params }) => tenant.batches.get(params.id),
  );
  for (const verb of Object.keys(VERBS) as (keyof typeof VERBS)[])
    app.post(
      `/api/batches/:id/${verb}`,
      {
        ...write,
        schema: {
          tags,
          summary: `${VERBS[verb]} a batch`,
          params: Params,
          body: NoFields,
          response: { 202: Batch, ...errors },
        },
      },
      async (request, reply) => reply.code(202).send(await request.tenant.batches[verb](request.params.id)),
    );
  app.post(
    '/api/batches/:id/retry',
    {
      ...write,
      schema: {
        tags,
        summary: 'A new batch of what failed',
        params: Params,
        body: RetryBody,
        response: { 202: Batch, ...errors },
      },
    },
    async (request, reply) =>
      reply
        .code(202)
        .send(await request.tenant.batches.retry(request.params.id, request.body.code, request.span?.traceparent)),
  );
  app.get(
    '/api/batches/:id/failures',
    {
      ...read,
      schema: { tags, summary: 'Failures by code', params: Params, response: { 200: Failures, ...errors } },
    },
    async ({ tenant, params }) => tenant.batches.failures(params.id),
  );
  app.get(
    '/api/queue',
    { ...read, schema: { tags, summary: 'The queue and its workers', response: { 200: QueueReply, ...errors } } },
    async ({ tenant }) => tenant.queue(),
  );
  app.get(
    '/api/now',
    { ...read, schema: { tags, summary: 'What happens now, for a page', response: { 200: NowReply, ...errors } } },
    async ({ tenant }) => tenant.now(),
  );
}
