import type { Sql } from '../database/client.ts';

/**
 * Whose rows are meant. Every statement of the API says it (`tenant_id = …` at the project that all hangs on), and its connection
 * says it again: PostgreSQL shows such a connection nothing else.
 */
export interface Owner {
  tenantId: string;
  sql: Sql;
}
