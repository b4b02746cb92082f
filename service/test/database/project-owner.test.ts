import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Project } from '#contract/images.ts';
import { migrate } from '../../src/database/migrate.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.close());

it('keeps the name of the key that created a project, through a step back from the audit, and null where nobody knows', async () => {
  const { app } = service;
  const reply = await service.call('/api/projects', { method: 'POST', json: { name: 'mine' } });
  const { id } = (await reply.json()) as Project;
  const store = service.tenant.projects;
  expect(await store.many([id])).toMatchObject([{ id, createdBy: 'bootstrap', segmentedImages: 0 }]);
  const url = app.config.databaseUrl;
  expect(await migrate(url, 3)).toContain(-4);
  const [old] = await service.sql<{ id: string }[]>`
    insert into projects (id, name) values (gen_random_uuid(), 'older than the audit') returning id`;
  expect(await migrate(url)).toContain(4);
  const facts = new Map((await store.many([id, old!.id])).map((row) => [row.id, row.createdBy]));
  expect([facts.get(id), facts.get(old!.id)]).toEqual(['bootstrap', null]);
});
