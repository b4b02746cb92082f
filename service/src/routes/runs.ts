import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { PageQuery, closed } from '#contract/common.ts';
import { RunDetail, RunsReply } from '#contract/runs.ts';
import { REVALIDATE } from '../cdn/cache-control.ts';
import { notFound } from '../errors.ts';
import { sendFile } from '../results/send-file.ts';
import { showRuns } from '../runs/gauges.ts';
import { createRunStore } from '../runs/store.ts';
import { FIRST_TENANT } from '../tenants/first.ts';
import { Bytes, IdParams, RANGES, replies } from './schemas.ts';

/**
 * A report is a page with a style of its own. Whoever wrote it, it runs no script, sends nothing, loads nothing, and is of an origin
 * that has no session here (CSP 3, `sandbox`).
 */
const REPORT_POLICY =
  "sandbox allow-downloads; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/** Runs of the bench on this machine. They are the operator's: another tenant has none. */
const routes: FastifyPluginAsyncTypebox = async (app) => {
  const tags = ['runs'];
  const onRequest = app.requireScope('read');
  const store = createRunStore(app.config.resultsDir);
  showRuns(app.metrics, store);
  const isOperator = ({ tenant }: FastifyRequest) => tenant.tenantId === FIRST_TENANT;

  app.get('/api/runs', {
    onRequest,
    schema: {
      tags,
      summary: 'Runs of the bench, newest first',
      querystring: Type.Object({ limit: PageQuery.limit, offset: PageQuery.offset }, closed),
      response: replies({ 200: RunsReply }),
    },
    handler: async (request) => {
      const { limit = 50, offset = 0 } = request.query;
      if (!isOperator(request)) return { items: [], total: 0, limit, offset, unreadable: [] };
      return store.list({ limit, offset });
    },
  });
  app.get('/api/runs/:id', {
    onRequest,
    schema: {
      tags,
      summary: 'One run of the bench, with how long its stages took',
      params: IdParams,
      response: replies({ 200: RunDetail }),
    },
    handler: async (request) => {
      const run = isOperator(request) ? await store.get(request.params.id) : null;
      if (run === null) throw notFound('run', request.params.id);
      return run;
    },
  });
  app.get('/api/runs/:id/report', {
    onRequest,
    schema: {
      tags,
      summary: 'The report of a run, as a page',
      description: `A page that runs no script and has no session. ${RANGES}`,
      params: IdParams,
      response: replies({ 200: Bytes('the page'), 206: Bytes('a range') }),
    },
    handler: async (request, reply) => {
      const found = isOperator(request) ? await store.report(request.params.id) : null;
      if (found === null) throw notFound('run', request.params.id);
      void reply.header('content-security-policy', REPORT_POLICY);
      return sendFile(request, reply, { ...found, mimeType: 'text/html; charset=utf-8', cacheControl: REVALIDATE });
    },
  });
};
export default routes;
