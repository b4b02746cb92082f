import type { Sql } from '../database/client.ts';

export interface AuditEntry {
  /** Method and route, e.g. `DELETE /api/projects/:id`. */
  action: string;
  targetType: string;
  targetId: string | null;
  detail?: Record<string, unknown> | undefined;
  /** The key that asked; null: not one of this tenant. */
  by: { id: string; name: string } | null;
}
const OPERATOR = 'operator';

/** Writes what changed for a tenant. Never rejects: the change is committed, and its reply must not become an error. */
export function createAuditWriter(sql: Sql, tenantId: string, lost: (error: unknown, action: string) => void) {
  return async ({ action, targetType, targetId, detail, by }: AuditEntry): Promise<void> => {
    try {
      await sql`
        insert into audit (tenant_id, key_id, key_name, action, target_type, target_id, detail)
        values (${tenantId}, ${by?.id || null}, ${by ? by.name || null : OPERATOR}, ${action}, ${targetType}, ${targetId},
          ${detail ? sql.json(detail as Record<string, string>) : null})`;
    } catch (error) {
      lost(error, action);
    }
  };
}
