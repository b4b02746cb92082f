import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody } from '#contract/common.ts';
import type { Image, Project, UploadReply } from '#contract/images.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';

interface List<T> {
  items: T[];
  total: number;
  limit: number;
  offset: number;
  nextCursor: string | null;
}
let service: TestApp;
const newProject = async (name = 'p') =>
  ((await (await service.call('/api/projects', { method: 'POST', json: { name } })).json()) as Project).id;
const get = async <T>(path: string) => (await (await service.call(path)).json()) as T;
/** By cursor from the first page to the last; `between` runs after each page. */
async function walk(path: string, limit: number, between = async (_page: number) => {}): Promise<string[]> {
  const seen: string[] = [];
  let cursor: string | null = '';
  for (let page = 0; cursor !== null; page++) {
    const query = `${path.includes('?') ? '&' : '?'}limit=${limit}${cursor ? `&cursor=${cursor}` : ''}`;
    const next: List<{ id: string }> = await get(path + query);
    seen.push(...next.items.map(({ id }) => String(id)));
    cursor = next.nextCursor;
    if (cursor !== null) await between(page);
  }
  return seen;
}

beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.close());

describe('a walk by cursor', () => {
  it.each(['name', '-name', 'createdAt', '-createdAt', 'polygonCount', '-polygonCount'])(
    'by %s gives what was there all the time exactly once, whatever comes and goes meanwhile',
    async (sort) => {
      const projectId = await newProject();
      const images = await uploadPictures(service, projectId, 24);
      await finishBatch(service, projectId, images.slice(0, 16), [
        3,
        0,
        null,
        3,
        7,
        1,
        2,
        3,
        0,
        5,
        null,
        3,
        9,
        9,
        1,
        4,
      ]);
      const all = (await get<List<Image>>(`/api/projects/${projectId}/images?sort=${sort}&limit=500`)).items;
      const removed = [all[1]!, all[9]!, all[20]!].map(({ id }) => id);
      const added: string[] = [];
      const seen = await walk(`/api/projects/${projectId}/images?sort=${sort}`, 5, async (page) => {
        if (page >= removed.length) return;
        await service.call(`/api/images/${removed[page]}`, { method: 'DELETE' });
        added.push(...(await uploadPictures(service, projectId, 2, 100 + page)).map(({ id }) => id));
      });
      expect(new Set(seen).size).toBe(seen.length);
      expect((await get<List<Image>>(`/api/projects/${projectId}/images`)).total).toBe(24 - 3 + 6);
      const stayed = all.map(({ id }) => id).filter((id) => !removed.includes(id));
      expect(seen.filter((id) => stayed.includes(id))).toEqual(stayed);
      expect(seen.every((id) => stayed.includes(id) || removed.includes(id) || added.includes(id))).toBe(true);
    },
  );

  it.each(['projects', 'batches', 'keys', 'audit'])('through %s bears new rows', async (list) => {
    const projectId = await newProject();
    const [image] = await uploadPictures(service, projectId, 1);
    const add = {
      projects: () => newProject('later'),
      batches: () => finishBatch(service, projectId, [image!], [1]),
      keys: () => service.call('/api/keys', { method: 'POST', json: { name: 'k', scopes: ['read'] } }),
      audit: () => service.call('/api/keys', { method: 'POST', json: { name: 'k', scopes: ['read'] } }),
    }[list]!;
    for (let i = 0; i < 7; i++) await add();
    const path = list === 'batches' ? `/api/projects/${projectId}/batches` : `/api/${list}`;
    const before = (await get<List<{ id: string | number }>>(`${path}?limit=500`)).items.map(({ id }) => String(id));
    expect(before.length).toBeGreaterThanOrEqual(7);
    const seen = await walk(path, 2, async () => void (await add()));
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.filter((id) => before.includes(id))).toEqual(before);
  });
});

describe('a page', () => {
  it.each(['/api/projects', '/api/projects/:p/images', '/api/projects/:p/batches', '/api/keys', '/api/audit'])(
    'of %s has 1 to 500 rows, and says what it is',
    async (template) => {
      const path = template.replace(':p', await newProject());
      const page = await get<List<unknown>>(`${path}?limit=1&offset=0`);
      expect(Object.keys(page).sort()).toEqual(['items', 'limit', 'nextCursor', 'offset', 'total']);
      expect(await get(`${path}?limit=500`)).toMatchObject({ limit: 500, offset: 0 });
      expect(await get(`${path}?offset=100000`)).toMatchObject({ items: [], nextCursor: null, total: page.total });
      for (const query of [
        'limit=501',
        'limit=0',
        'limit=-1',
        'limit=1.5',
        'limit=',
        'offset=-1',
        'limit=1&limit=2',
        'cursor=x',
        'x=1',
      ]) {
        const reply = await service.call(`${path}?${query}`);
        const { code, message } = (await reply.json()) as ErrorBody;
        expect([query, reply.status, code]).toEqual([query, 400, query === 'cursor=x' ? 'BAD_CURSOR' : 'VALIDATION']);
        expect(message).toContain(query.split('=')[0]);
      }
    },
  );

  it('takes no cursor of another list, of another project’s list, or one that was changed', async () => {
    const [one, two] = [await newProject(), await newProject()];
    await uploadPictures(service, one, 3);
    await uploadPictures(service, two, 3);
    const { nextCursor: ofProjects } = await get<List<Project>>('/api/projects?limit=1');
    const { nextCursor: ofImages } = await get<List<Image>>(`/api/projects/${one}/images?limit=1`);
    const refused = async (path: string, cursor: string | null) =>
      (await service.call(`${path}?limit=1&cursor=${cursor}`)).status;
    expect(await refused(`/api/projects/${one}/images`, ofProjects)).toBe(400);
    expect(await refused('/api/projects', ofImages)).toBe(400);
    expect(await refused(`/api/projects/${one}/images`, `${ofImages}x`)).toBe(400);
    expect(await refused(`/api/projects/${one}/images`, ofImages!.slice(0, -4))).toBe(400);
  });
});

describe('q', () => {
  it('is part of a name, letter by letter, whatever its case', async () => {
    const projectId = await newProject();
    const names = ['100%.png', '100x.png', 'a_b.png', 'aXb.png', 'Zelle-Ä.png', '細胞.png', "o'brien.png", '[a-z].png'];
    const files = await Promise.all(names.map(async (name, index) => ({ name, bytes: await picture(300 + index) })));
    const reply = await service.call(`/api/projects/${projectId}/images`, { method: 'POST', body: form(files) });
    expect(((await reply.json()) as UploadReply).images.map(({ name }) => name)).toEqual(names);
    const found = async (q: string) =>
      (await get<List<Image>>(`/api/projects/${projectId}/images?q=${encodeURIComponent(q)}`)).items.map(
        ({ name }) => name,
      );
    expect(await found('0%')).toEqual(['100%.png']);
    expect(await found('a_b')).toEqual(['a_b.png']);
    expect(await found('AxB')).toEqual(['aXb.png']);
    expect(await found('zelle-ä')).toEqual(['Zelle-Ä.png']);
    expect(await found('胞')).toEqual(['細胞.png']);
    expect(await found("o'b")).toEqual(["o'brien.png"]);
    expect(await found('[a')).toEqual(['[a-z].png']);
    expect(await found('\\')).toEqual([]);
    expect(await found('.png')).toHaveLength(names.length);
  });
});
