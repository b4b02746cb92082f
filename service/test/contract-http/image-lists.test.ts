import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IMAGE_STATUSES } from '#contract/common.ts';
import type { Image } from '#contract/images.ts';
import { insertProject } from '../batches/fixture.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { ask, page, walk, type ListReply } from './support.ts';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.close());

const idsOf = (items: readonly Image[]) => items.map(({ id }) => id);
/** Images of one project with the given columns, as the service would have them later. */
async function project(rows: readonly { name: string; status?: string; count?: number | null }[]): Promise<string> {
  const { sql } = service;
  const made = await insertProject(sql, rows.length);
  for (const [index, { name, status = 'uploaded', count = null }] of rows.entries())
    await sql`update images set name = ${name}, status = ${status}, polygon_count = ${count}, created_at = ${new Date(1_767_225_600_000 + (index % 7))}
      where id = ${made.imageIds[index]!}`;
  return `/api/projects/${made.projectId}/images`;
}
const namesIn = async (path: string, query: Record<string, string | number>) => {
  const { items, total } = await page<Image>(service, path, { limit: 500, ...query });
  expect(total).toBe(items.length);
  return items.map(({ name }) => name).sort();
};

describe('the filters of images', () => {
  it('match the text of q as it is written, whatever it means elsewhere, and without regard to case', async () => {
    const names = [
      '50%.png',
      '500.png',
      'a_b.png',
      'axb.png',
      "it's.png",
      'Ärger.png',
      'ÄRGER 2.png',
      '細胞.png',
      'a*b.png',
    ];
    const path = await project([...names, '(x).png', '🔬.png', 'a"b.png'].map((name) => ({ name })));
    const expected: [q: string, found: string[]][] = [
      ['%', ['50%.png']],
      ['0%.', ['50%.png']],
      ['_', ['a_b.png']],
      ['a_b', ['a_b.png']],
      ['\\', []],
      ['\\%', []],
      ["'", ["it's.png"]],
      ["' or 1=1 --", []],
      ['ärger', ['Ärger.png', 'ÄRGER 2.png']],
      ['ÄRGER', ['Ärger.png', 'ÄRGER 2.png']],
      ['胞', ['細胞.png']],
      ['🔬', ['🔬.png']],
      ['*', ['a*b.png']],
      ['.*', []],
      ['(x)', ['(x).png']],
      ['"', ['a"b.png']],
      ['B.PNG', ['a"b.png', 'a*b.png', 'a_b.png', 'axb.png']],
      ['500.png', ['500.png']],
    ];
    for (const [q, found] of expected) expect([q, await namesIn(path, { q })]).toEqual([q, found.toSorted()]);
    expect((await namesIn(path, { q: '' })).length).toBe(12);
    expect((await ask(service, `${path}?q=${'x'.repeat(200)}`)).status).toBe(200);
    expect((await ask(service, `${path}?q=${'x'.repeat(201)}`)).status).toBe(400);
  });

  it('give the images of each status, of several, and with q of both', async () => {
    const rows = IMAGE_STATUSES.flatMap((status, index) =>
      Array.from({ length: index + 1 }, (_, nth) => ({ name: `${status} ${nth}`, status })),
    );
    const path = await project(rows);
    for (const [index, status] of IMAGE_STATUSES.entries()) {
      const { items, total } = await page<Image>(service, path, { status, limit: 2 });
      expect([status, total]).toEqual([status, index + 1]);
      expect(items.every((image) => image.status === status)).toBe(true);
      const walked = await walk<Image>(service, `${path}?status=${status}&sort=-name`, 2);
      expect(walked.map(({ name }) => name)).toEqual(
        Array.from({ length: index + 1 }, (_, nth) => `${status} ${index - nth}`),
      );
    }
    expect(await namesIn(path, { status: 'failed,uploaded' })).toHaveLength(6);
    expect(await namesIn(path, { status: 'failed,cancelled', q: ' 4' })).toEqual(['cancelled 4', 'failed 4']);
    for (const status of ['done', 'failed,', 'Failed', 'failed, queued', ','])
      expect([status, (await ask(service, `${path}?status=${encodeURIComponent(status)}`)).status]).toEqual([
        status,
        400,
      ]);
  });
});

describe.each(['name', '-name', 'createdAt', '-createdAt', 'polygonCount', '-polygonCount'])(
  'images sorted by %s',
  (sort) => {
    const key = sort.replace('-', '') as 'name' | 'createdAt' | 'polygonCount';
    /** Names, times and counts that are often the same. */
    const rows = () =>
      Array.from({ length: 60 }, (_, index) => ({
        name: `${index % 11}.png`,
        count: index % 3 === 0 ? null : index % 5,
      }));
    const ordered = (a: Image, b: Image): number => {
      const [x, y] = [a[key], b[key]];
      if (x === y) return a.id < b.id === !sort.startsWith('-') ? -1 : 1;
      if (x === null || y === null) return x === null ? 1 : -1;
      return x < y === !sort.startsWith('-') ? -1 : 1;
    };

    it('are in that order, ties by their id, those without a value last', async () => {
      const path = await project(rows());
      const { items } = await page<Image>(service, path, { sort, limit: 500 });
      expect(items).toHaveLength(60);
      expect(items.map((image) => [image[key], image.id])).toEqual(
        items.toSorted(ordered).map((image) => [image[key], image.id]),
      );
      expect(idsOf(await walk<Image>(service, `${path}?sort=${sort}`, 7))).toEqual(idsOf(items));
    });

    it('are walked completely and without doubles while others are added and deleted between the pages', async () => {
      const { sql } = service;
      const { cache } = service.app;
      const path = await project(rows());
      const [, , , id] = path.split('/') as [string, string, string, string];
      const before = (await page<Image>(service, path, { sort, limit: 500 })).items;
      const gone = new Set<string>();
      const seen = await walk<Image>(service, `${path}?sort=${sort}`, 6, async (nth) => {
        // One near the front, one near the end, and new ones everywhere.
        for (const victim of [before[nth]!, before[before.length - 2 * nth]!]) {
          const reply = await service.call(`/api/images/${victim.id}`, { method: 'DELETE' });
          expect(reply.status).toBe(204);
          gone.add(victim.id);
        }
        await sql`
          insert into images (id, project_id, name, sha256, created_at, polygon_count)
          select ${randomUUID()}::uuid, project_id, ${`${nth % 12}.png`}, sha256, created_at, ${nth % 2 ? null : nth % 5}::int
          from images where id in ${sql([before[20]!.id, before[40]!.id])} limit 1`;
        await cache.bump(id);
      });
      const ids = idsOf(seen);
      expect(new Set(ids).size).toBe(ids.length);
      expect(gone.size).toBeGreaterThan(10);
      const kept = before.filter((image) => !gone.has(image.id));
      expect(idsOf(seen).filter((one) => kept.some((image) => image.id === one))).toEqual(idsOf(kept));
      expect(seen.map(({ id: one }) => one)).toEqual(idsOf(seen.toSorted(ordered)));
      const after: ListReply<Image> = await page<Image>(service, path, { sort, limit: 500 });
      expect(after.total).toBe(after.items.length);
      expect(idsOf(after.items)).toEqual(idsOf(after.items.toSorted(ordered)));
    });
  },
);

describe('images by name', () => {
  it('is walked whatever the names are, the longest and strangest of them too', async () => {
    const long = ['"', '\u00e9', '\u{1f52c}', 'a', '\u2028', '\\'].map((letter) =>
      letter.repeat(Math.floor(254 / Buffer.byteLength(letter))),
    );
    const names = long.flatMap((name) => [name, name]);
    const path = await project(names.map((name) => ({ name })));
    for (const sort of ['name', '-name']) {
      const walked = await walk<Image>(service, `${path}?sort=${sort}`, 1);
      expect(walked.map(({ name }) => name).sort()).toEqual(names.toSorted());
    }
  });
});
