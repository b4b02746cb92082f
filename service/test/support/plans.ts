import postgres from 'postgres';
import type { Sql } from '../../src/database/client.ts';
import { DEFAULT_ROLE } from '../../src/database/wall.ts';
import type { Connections } from '../../src/tenants/connections.ts';
import { FIRST_TENANT } from '../../src/tenants/first.ts';
import type { Owner } from '../../src/tenants/owner.ts';

/** A node of EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON), as far as tests look at it. */
export interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Index Name'?: string;
  'Actual Rows': number;
  'Actual Loops': number;
  'Rows Removed by Filter'?: number;
  'Shared Hit Blocks': number;
  'Shared Read Blocks': number;
  Plans?: PlanNode[];
}
export interface SeenPlan {
  query: string;
  nodes: PlanNode[];
  /** 8 KiB pages touched, cached or not. */
  pages: number;
  durationMs: number;
}

const flat = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap(flat)];

/**
 * A connection that tells the plan of every statement it runs: PostgreSQL's auto_explain, with the parameters as the service
 * sent them, so that no test repeats a query of the service.
 */
export function explained(url: string) {
  const seen: SeenPlan[] = [];
  const sql = watchedAs(url, seen);
  const tenant = watchedAs(url, seen, { role: DEFAULT_ROLE, 'segbench.tenant': FIRST_TENANT });
  const end = async () => void (await Promise.all([sql, tenant].map((each) => each.end({ timeout: 5 }))));
  return {
    /** As the owner of the tables. */
    sql,
    /** As the API asks for a tenant, behind row-level security. */
    owner: { sql: tenant, tenantId: FIRST_TENANT } satisfies Owner,
    connections: { service: sql, of: () => tenant, walled: true, end } satisfies Connections,
    /** The plans of what `work` ran. */
    async plansOf(work: () => Promise<unknown>): Promise<SeenPlan[]> {
      seen.length = 0;
      await work();
      return [...seen];
    },
  };
}

function watchedAs(url: string, seen: SeenPlan[], as: Record<string, string> = {}): Sql {
  return postgres(url, {
    max: 1,
    types: { bigint: { to: 20, from: [20], parse: Number, serialize: String } },
    connection: {
      session_preload_libraries: 'auto_explain',
      client_min_messages: 'log',
      // As text: postgres.js leaves out what is falsy.
      'auto_explain.log_min_duration': '0',
      'auto_explain.log_analyze': true,
      'auto_explain.log_buffers': true,
      'auto_explain.log_format': 'json',
      ...as,
    } as Record<string, string | number | boolean>,
    onnotice({ message }) {
      const match = /^duration: ([\d.]+) ms\s+plan:\s+(\{.*\})\s*$/s.exec(message ?? '');
      if (!match) return;
      const plan = JSON.parse(match[2]!) as { 'Query Text': string; Plan: PlanNode };
      const nodes = flat(plan.Plan);
      const pages = plan.Plan['Shared Hit Blocks'] + plan.Plan['Shared Read Blocks'];
      seen.push({ query: plan['Query Text'], nodes, pages, durationMs: Number(match[1]) });
    },
  }) as unknown as Sql;
}

export const sequentialScans = (plans: readonly SeenPlan[], table: string): SeenPlan[] =>
  plans.filter(({ nodes }) =>
    nodes.some((node) => node['Node Type'] === 'Seq Scan' && node['Relation Name'] === table),
  );
export const pagesOf = (plans: readonly SeenPlan[]): number => plans.reduce((sum, { pages }) => sum + pages, 0);
