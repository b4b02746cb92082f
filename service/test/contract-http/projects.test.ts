import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Project } from '#contract/images.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { ERROR_FIELDS, UNKNOWN, ask, newProject, page, send } from './support.ts';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.close());

const FIELDS = ['createdAt', 'id', 'imageCount', 'name', 'pixelSizeUm'];
const GOOD: Record<string, unknown[]> = {
  name: ['a', 'x'.repeat(200), '🔬'.repeat(200), '<b>"plate" & \\ 7</b>', ' plate 7 ', '細胞'],
  pixelSizeUm: [10_000, 0.325, 1e-9, 0.123456789012, 1, null],
};
const BAD: Record<string, unknown[]> = {
  name: ['', 'x'.repeat(201), 7, null, ['a'], 'a\0b'],
  pixelSizeUm: [0, -0.1, 10_000.1, 1e300, '0.5', true, []],
  imageCount: [3],
  id: [UNKNOWN],
};
/** The parts of the tables as single cases. */
const cases = (table: Record<string, unknown[]>) =>
  Object.entries(table).flatMap(([field, values]) => values.map((value) => ({ field, value })));

describe('a project', () => {
  it.each(cases(GOOD))('is made and changed with $field at its bounds: $value', async ({ field, value }) => {
    const made = await send<Project>(service, 'POST', '/api/projects', { name: 'new', [field]: value });
    expect([made.status, Object.keys(made.body).sort()]).toEqual([201, FIELDS]);
    expect(made.body).toMatchObject({ name: 'new', pixelSizeUm: null, imageCount: 0, [field]: value });
    const { id } = await newProject(service, 'old', 0.5);
    const changed = await send<Project>(service, 'PATCH', `/api/projects/${id}`, { [field]: value });
    expect([changed.status, changed.body]).toEqual([
      200,
      expect.objectContaining({ name: 'old', pixelSizeUm: 0.5, [field]: value }),
    ]);
    expect((await ask<Project>(service, `/api/projects/${id}`)).body).toEqual(changed.body);
  });

  it.each(cases(BAD))('is neither made nor changed with $field out of bounds: $value', async ({ field, value }) => {
    const project = await newProject(service, 'old', 0.5);
    const { total } = await page(service, '/api/projects');
    const answers = [
      await send(service, 'POST', '/api/projects', { name: 'new', [field]: value }),
      await send(service, 'PATCH', `/api/projects/${project.id}`, { [field]: value }),
    ];
    for (const { status, body } of answers) {
      expect([status, Object.keys(body).sort(), body.message.includes(field)]).toEqual([400, ERROR_FIELDS, true]);
      expect(body.message).toMatch(/expected|allowed|must/);
    }
    expect((await page(service, '/api/projects')).total).toBe(total);
    expect((await ask<Project>(service, `/api/projects/${project.id}`)).body).toEqual(project);
  });

  it('keeps what a change does not name, and shows the change in every read at once', async () => {
    const { id, createdAt } = await newProject(service, 'first', 0.25);
    const change = (json: object) => send<Project>(service, 'PATCH', `/api/projects/${id}`, json);
    const steps: [json: object, name: string, pixelSizeUm: number | null][] = [
      [{ name: 'second' }, 'second', 0.25],
      [{ pixelSizeUm: 2 }, 'second', 2],
      [{ pixelSizeUm: null }, 'second', null],
      [{ name: 'third', pixelSizeUm: 0.1 }, 'third', 0.1],
    ];
    for (const [json, name, pixelSizeUm] of steps) {
      await page<Project>(service, '/api/projects', { limit: 500 });
      const expected = { id, createdAt, imageCount: 0, name, pixelSizeUm };
      expect((await change(json)).body).toEqual(expected);
      expect((await ask<Project>(service, `/api/projects/${id}`)).body).toEqual(expected);
      const { items } = await page<Project>(service, '/api/projects', { limit: 500 });
      expect(items.find((project) => project.id === id)).toEqual(expected);
    }
  });

  it('is not changed by nothing, by what is no object, or by what has an unknown field beside a good one', async () => {
    const project = await newProject(service);
    for (const json of [{}, [], 'name', null, undefined, { name: 'x', color: 'red' }])
      expect([json, (await send(service, 'PATCH', `/api/projects/${project.id}`, json)).status]).toEqual([json, 400]);
    expect((await ask<Project>(service, `/api/projects/${project.id}`)).body).toEqual(project);
  });

  it('is 404 where there is none, and 400 where the id is none', async () => {
    for (const [method, json] of [['GET'], ['PATCH', { name: 'x' }], ['DELETE']] as const) {
      expect([method, (await send(service, method, `/api/projects/${UNKNOWN}`, json)).status]).toEqual([method, 404]);
      for (const id of ['1', `${UNKNOWN}0`, UNKNOWN.slice(1), `{${UNKNOWN}}`, `urn:uuid:${UNKNOWN}`]) {
        const { status, body } = await send(service, method, `/api/projects/${encodeURIComponent(id)}`, json);
        expect([method, id, status]).toEqual([method, id, 400]);
        expect(body.message).toContain('expected a uuid');
      }
    }
  });
});
