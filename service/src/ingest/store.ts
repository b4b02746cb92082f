import { randomUUID } from 'node:crypto';
import type { Image } from '#contract/images.ts';
import { keepBytes } from '../database/bytes-lock.ts';
import type { Transaction } from '../database/client.ts';
import { notFound } from '../errors.ts';
import type { Storage } from '../storage.ts';
import type { Owner } from '../tenants/owner.ts';
import type { Accepted } from './receive.ts';

interface NewRow {
  id: string;
  createdAt: string;
}

/**
 * Makes received files images of a project: bytes under their hash first, then all rows and their events, in one transaction, so
 * that who reads the row finds the bytes, and who was answered finds the row. Nobody removes these bytes before its commit.
 * `alongside` runs in that transaction, last.
 */
export async function storeImages(
  deps: Owner & { storage: Storage; traceparent: string | null },
  projectId: string,
  files: readonly Accepted[],
  alongside?: (tx: Transaction, images: Image[]) => Promise<void>,
): Promise<Image[]> {
  const { sql, tenantId, storage } = deps;
  const blobs = [...new Map(files.map((file) => [file.sha256, file])).values()];
  const images = files.map((file) => ({ id: randomUUID(), file }));
  return sql.begin(async (tx) => {
    const [project] = await tx`select id from projects 
      where id = ${projectId} and deleted_at is null and tenant_id = ${tenantId} for key share`;
    if (!project) throw notFound('project', projectId);
    await keepBytes(
      tx,
      blobs.map(({ sha256 }) => sha256),
    );
    await storage.commit(files.map(({ temporary, sha256 }) => ({ temporary, sha256 })));
    const blobRows = blobs.map((file) => ({
      sha256: Buffer.from(file.sha256, 'hex'),
      size_bytes: file.sizeBytes,
      mime_type: file.mimeType,
      width: file.width,
      height: file.height,
      channels: file.channels,
      pages: file.pages,
      average_colour: file.averageColour,
    }));
    await tx`insert into blobs ${tx(blobRows)} on conflict do nothing`;
    const imageRows = images.map(({ id, file }) => ({
      id,
      project_id: projectId,
      name: file.name,
      relative_path: file.relativePath,
      sha256: Buffer.from(file.sha256, 'hex'),
      traceparent: deps.traceparent,
    }));
    const inserted = await tx<NewRow[]>`
      insert into images ${tx(imageRows)}
      returning id, to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt"`;
    const eventRows = images.map(({ id }) => ({ project_id: projectId, image_id: id, status: 'uploaded' }));
    await tx`insert into event_outbox ${tx(eventRows)}`;
    const stageRows = images.map(({ id, file }) => ({
      image_id: id,
      stage: 'upload',
      started_at: file.startedAt,
      duration_ms: file.receivedMs,
    }));
    await tx`insert into image_stages ${tx(stageRows)}`;
    const createdAt = new Map(inserted.map((row) => [row.id, row.createdAt]));
    const stored = images.map(({ id, file }) => asImage(id, projectId, file, createdAt.get(id)!));
    await alongside?.(tx, stored);
    return stored;
  });
}

const asImage = (id: string, projectId: string, file: Accepted, createdAt: string): Image => ({
  id,
  projectId,
  name: file.name,
  relativePath: file.relativePath,
  width: file.width,
  height: file.height,
  channels: file.channels,
  pages: file.pages,
  sizeBytes: file.sizeBytes,
  sha256: file.sha256,
  mimeType: file.mimeType,
  status: 'uploaded',
  createdAt,
  polygonCount: null,
  batchId: null,
  error: null,
});
