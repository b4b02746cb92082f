/** One endpoint at a time, as fast as it answers: what a request costs the API. The pool is a timer. */
import { ENDPOINT_BUDGETS } from './budgets-drivers.ts';
import type { EndpointsScenario } from './scenario.ts';

export const ENDPOINTS: EndpointsScenario = {
  kind: 'endpoints',
  name: 'endpoints',
  title: 'one endpoint at a time by autocannon: throughput, latency and CPU of the API for each request',
  images: { count: 200, quickCount: 100 },
  phases: {
    imageMs: 5,
    connections: 4,
    warmMs: 1000,
    durationMs: 8000,
    quickMs: 1000,
    pageSize: 50,
    resultsPerRequest: 100,
  },
  budgets: ENDPOINT_BUDGETS,
  notApplicable: {},
};
