import type { Result } from '#contract/results.ts';
import type { Owner } from '../tenants/owner.ts';
import { entriesByBatch } from '../results/query.ts';
import { toResult } from '../results/forms.ts';
import type { ExportRow } from './cells.ts';

interface ImageFacts extends Omit<ExportRow, 'result' | 'imageId'> {
  id: string;
}
const FACTS_PAGE = 200;

/** Images of a batch by id, each with its result; a few hundred in memory at once. An image that is deleted meanwhile is left out. */
export async function* exportRows(owner: Owner, batchId: string): AsyncGenerator<ExportRow> {
  let facts = new Map<string, ImageFacts>();
  let last = '';
  const { sql } = owner;
  for await (const entry of entriesByBatch(owner, batchId, undefined, true)) {
    if (entry.missing) continue;
    if (entry.imageId > last) {
      const rows = await sql<ImageFacts[]>`
        select i.id, i.name, i.relative_path as "relativePath", b.width, b.height, bi.status
        from batch_items bi join images i on i.id = bi.image_id join blobs b on b.sha256 = i.sha256
        where bi.batch_id = ${batchId} and bi.image_id >= ${entry.imageId} order by bi.image_id limit ${FACTS_PAGE}`;
      facts = new Map(rows.map((row) => [row.id, row]));
      last = rows.at(-1)?.id ?? entry.imageId;
    }
    const known = facts.get(entry.imageId);
    // Deleted between the two reads.
    if (!known) continue;
    const { id: imageId, ...image } = known;
    const subject = entry.stored && { ...entry, stored: entry.stored };
    const result = subject && (toResult(subject, { lod: 'high', fields: undefined }) as Result);
    yield { imageId, ...image, result };
  }
}
