import { createBatchStore, type BatchStore } from '../batches/store.ts';
import { readNow } from '../batches/now.ts';
import { readQueue } from '../batches/read.ts';
import { readReports } from '../batches/worker-report.ts';
import type { Cache, CacheServer } from '../cache.ts';
import type { Config } from '../config.ts';
import type { NowReply } from '../contract/now.ts';
import type { QueueReply } from '../contract/queue.ts';
import { createImageStore, type ImageStore } from '../database/images.ts';
import type { IndexAnswer, IndexCache, IndexQuestion } from '../database/index-cache.ts';
import { createProjectStore, type ProjectStore } from '../database/projects.ts';
import { createExportReader, type ExportReader } from '../exports/reader.ts';
import { createIdempotency } from '../ingest/idempotency.ts';
import { createMasks } from '../pictures/masks.ts';
import type { Storage } from '../storage.ts';
import { createAuditWriter, type AuditEntry } from './audit.ts';
import type { Connections } from './connections.ts';
import { FIRST_TENANT, pictureTag } from './first.ts';
import type { Owner } from './owner.ts';

/** Everything that routes may touch of one tenant. What it does not have, a route cannot reach. */
export interface Tenant extends Owner {
  cache: Cache;
  projects: ProjectStore;
  images: ImageStore;
  /** The index of a project, from memory where one there still holds. */
  index(projectId: string, question: IndexQuestion): Promise<IndexAnswer | null>;
  batches: BatchStore;
  exports: ExportReader;
  masks: ReturnType<typeof createMasks>;
  idempotency: ReturnType<typeof createIdempotency>;
  queue(): Promise<QueueReply>;
  now(): Promise<NowReply>;
  /** What the names of its derived pictures begin with: a picture that is quickly there tells nothing of other tenants' files. */
  pictures: string;
  writeAudit(entry: AuditEntry): Promise<void>;
}

export interface TenantDeps {
  config: Config;
  connections: Connections;
  cache: CacheServer;
  indexes: IndexCache;
  storage: Storage;
  /** An export was asked for. */
  exportAsked: () => void;
  auditLost: (error: unknown, action: string) => void;
}

/** Tenants by their ids, each made when it is first asked for. */
export function createTenants(deps: TenantDeps): (tenantId: string) => Tenant {
  const tenants = new Map<string, Tenant>();

  function make(id: string): Tenant {
    const { config, storage } = deps;
    const sql = deps.connections.of(id);
    const cache = deps.cache.of(id);
    const at = { sql, cache, tenantId: id };
    async function queue(): Promise<QueueReply> {
      // processes are the operator's, and what they do is everybody's
      const workers = id === FIRST_TENANT ? readReports(cache.redis, config.queuePrefix) : [];
      const [counts, reports] = await Promise.all([readQueue(sql, id), workers]);
      return { ...counts, workers: reports };
    }
    return {
      tenantId: id,
      sql,
      cache,
      projects: createProjectStore(at),
      images: createImageStore(at),
      index: (projectId, question) => deps.indexes.read(at, projectId, question),
      batches: createBatchStore({
        sql,
        tenantId: id,
        modelsDir: config.modelsDir,
        pool: config.pool,
        resultCache: config.resultCache,
        webhookOrigins: config.webhookOrigins,
        workers: async () => (await readReports(cache.redis, config.queuePrefix)).length,
        changed: (projectId) => cache.bump(projectId),
      }),
      exports: createExportReader({ sql, tenantId: id, storage, asked: deps.exportAsked }),
      masks: createMasks(at),
      idempotency: createIdempotency(sql),
      queue,
      async now() {
        const [stands, reading] = await Promise.all([queue(), readNow(at)]);
        return { timestamp: new Date().toISOString(), queue: stands, ...reading };
      },
      pictures: pictureTag(id),
      writeAudit: createAuditWriter(sql, id, deps.auditLost),
    };
  }
  return (tenantId) => {
    const known = tenants.get(tenantId);
    if (known) return known;
    const made = make(tenantId);
    tenants.set(tenantId, made);
    return made;
  };
}
