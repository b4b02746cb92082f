/** Budgets of the scenarios that send requests from many users, or to one endpoint at a time. `scenarios/budgets.ts` joins them to the others. */
import type { BudgetName, BudgetSpec } from '../loadtest/src/contract.ts';

const TARGETS = 'performance targets';
const OWN = 'segbench: what people do while batches run answers at once';
const RIGHT = 'segbench: every answer is right';

const p95 = (name: BudgetName, limit: number, what: string, source: string): BudgetSpec => ({
  name,
  unit: 'ms',
  operator: '<',
  limit,
  description: `${what}, from its intended start, 95th percentile`,
  source,
});
const none = (name: BudgetName, description: string): BudgetSpec => ({
  name,
  unit: 'count',
  operator: '=',
  limit: 0,
  description,
  source: RIGHT,
});

export const BROWSE_BUDGETS: readonly BudgetSpec[] = [
  p95('browse_list_p95_ms', 100, 'A page of the image list', `${TARGETS}: image list under 100 ms`),
  p95('browse_detail_p95_ms', 200, 'One image', `${TARGETS}: API response under 200 ms`),
  p95('browse_result_p95_ms', 200, 'The result of one image', `${TARGETS}: API response under 200 ms`),
  p95('browse_results_p95_ms', 400, 'The results of 50 images in one answer', OWN),
  p95('browse_graphql_p95_ms', 200, 'A project with a page of its images by GraphQL', OWN),
  p95('browse_range_p95_ms', 200, 'A range of 256 KiB of a large download', OWN),
  p95('browse_submit_p95_ms', 500, 'The start of a batch', OWN),
  none(
    'browse_failed_requests',
    'Requests that were answered neither with 2xx nor with 429 or 503 and Retry-After, broken connections and timeouts among them',
  ),
  {
    ...none(
      'browse_refused_requests',
      'Requests that were refused with 429 or 503 and Retry-After, at a rate far below what the service bears',
    ),
    // Load is shed by how long requests wait: a busy machine makes them wait.
    timed: true,
  },
  none('browse_wrong_answers', 'Answers with 2xx that lack what was asked for'),
  none(
    'browse_frame_gaps',
    'Event numbers that one of the subscribers missed or saw twice, and terminal events that never came or came twice',
  ),
];

export const ENDPOINT_BUDGETS: readonly BudgetSpec[] = [
  none(
    'endpoints_failed_requests',
    'Requests that were not answered with 2xx, broken connections and timeouts among them',
  ),
];

export const DRIVER_BUDGETS: readonly BudgetSpec[] = [...BROWSE_BUDGETS, ...ENDPOINT_BUDGETS];
