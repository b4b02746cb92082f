/** Two tenants at once: one with ten projects full of work, one with a small batch. The pool is a timer. */
import { TENANT_BUDGETS } from './budgets-load.ts';
import type { TenantsScenario } from './scenario.ts';

export const MULTI_TENANT: TenantsScenario = {
  kind: 'tenants',
  name: 'multi-tenant',
  title: 'a small batch of one tenant beside ten projects of another, both asking all the time for what is not theirs',
  images: { count: 10_000, quickCount: 2000 },
  phases: { imageMs: 20, projects: 10, small: 100, askEveryMs: 50 },
  budgets: TENANT_BUDGETS,
  notApplicable: {},
};
