/** What people do while batches run: lists, details, results, downloads, submissions, open sockets. The pool is a timer. */
import { BROWSE_BUDGETS } from './budgets-drivers.ts';
import type { BrowseScenario } from './scenario.ts';

export const BROWSE: BrowseScenario = {
  kind: 'browse',
  name: 'browse',
  title: 'many users at a constant rate: lists, details, results, GraphQL, ranges, submissions, and their sockets',
  images: { count: 500, quickCount: 100 },
  phases: {
    imageMs: 5,
    /** Modest: a few percent of what one API process bears. */
    requestsPerSecond: 40,
    warmMs: 2000,
    durationMs: 30_000,
    quickMs: 6000,
    mix: [
      'list',
      'detail',
      'result',
      'list',
      'results',
      'detail',
      'graphql',
      'list',
      'range',
      'detail',
      'result',
      'list',
      'detail',
      'graphql',
      'results',
      'list',
      'range',
      'detail',
      'result',
      'submit',
    ],
    pageSize: 50,
    resultsPerRequest: 50,
    users: 12,
    imagesPerUser: 20,
    rangeBytes: 256 * 1024,
    fileMebibytes: 16,
  },
  budgets: BROWSE_BUDGETS,
  notApplicable: {},
};
