import type { Image } from '#contract/images.ts';
import type { Cache } from '../cache.ts';
import type { Owner } from '../tenants/owner.ts';
import { notFound } from '../errors.ts';

export interface Mask {
  resultId: string;
  /** Of the image. */
  width: number;
  height: number;
}

/** Which result an image's mask shows. Cached: a mask that is drawn already costs no query. */
export function createMasks({ sql, cache, tenantId }: Owner & { cache: Cache }) {
  async function load(imageId: string): Promise<Mask | null> {
    const [row] = await sql<Mask[]>`
      select r.id as "resultId", r.image_width as width, r.image_height as height
      from images i join results r on r.id = i.result_id and r.tenant_id = ${tenantId} where i.id = ${imageId}`;
    return row ?? null;
  }
  return {
    of: ({ id, projectId }: Pick<Image, 'id' | 'projectId'>): Promise<Mask | null> =>
      cache.wrap({ kind: 'mask', projectId, key: id }, () => load(id)),
    /** @throws ApiError NOT_FOUND */
    async polygonsOf(resultId: string): Promise<Uint8Array> {
      const [row] = await sql<{ polygons: Uint8Array }[]>`
        select polygons from results where id = ${resultId} and tenant_id = ${tenantId}`;
      if (!row) throw notFound('result', resultId);
      return row.polygons;
    },
  };
}
