import { mkdir, mkdtemp, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRunStore, runIdOf } from '../../src/runs/store.ts';
import { resultJson, writeRun } from '../support/runs.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const PAGE = { limit: 50, offset: 0 };
let base: string;
let dir: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'segbench-runs-'));
  dir = join(base, 'bench-results');
  await mkdir(dir);
});
afterEach(() => rm(base, { recursive: true, force: true }));

describe('createRunStore', () => {
  it('lists runs newest first, with what they were judged by and where they ran', async () => {
    const first = await writeRun(dir, { name: '2026-03-01T00-00-00Z-soak', scenario: 'soak', report: null });
    const second = await writeRun(dir, { name: '2026-03-02T00-00-00Z-bulk-1000' });
    const { items, total, unreadable } = await createRunStore(dir).list(PAGE);
    expect([items.map(({ id }) => id), total, unreadable]).toEqual([[second, first], 2, []]);
    expect(items[0]).toMatchObject({ scenario: 'bulk-1000', verdict: 'pass', imageCount: 1000, hasReport: true });
    expect(items[0]!.budgets[0]).toEqual({
      name: 'ui_settle_ms',
      unit: 'ms',
      operator: '<',
      spread: 0.1,
      limit: 2000,
      actual: 302,
      verdict: 'pass',
      note: '',
    });
    expect(items[0]!.machine).toContainEqual({ name: 'CPU', value: 'a test’s CPU' });
    expect(items[1]!.hasReport).toBe(false);
    expect(first).toMatch(UUID);
  });

  it('pages, and names folders whose result cannot be read', async () => {
    for (const day of [1, 2, 3]) await writeRun(dir, { name: `2026-03-0${day}T00-00-00Z-bulk-1000` });
    await mkdir(join(dir, '2026-03-04T00-00-00Z-bulk-1000'));
    await writeFile(join(dir, '2026-03-02T00-00-00Z-bulk-1000', 'result.json'), '{"schemaVersion": 2}');
    const page = await createRunStore(dir).list({ limit: 3, offset: 0 });
    expect(page.items.map(({ name }) => name)).toEqual(['2026-03-03T00-00-00Z-bulk-1000']);
    expect(page).toMatchObject({
      total: 4,
      unreadable: ['2026-03-04T00-00-00Z-bulk-1000', '2026-03-02T00-00-00Z-bulk-1000'],
    });
    expect((await createRunStore(dir).list({ limit: 3, offset: 3 })).items).toHaveLength(1);
  });

  it('has no runs where there is no folder', async () => {
    const store = createRunStore(join(base, 'nowhere'));
    expect(await store.list(PAGE)).toMatchObject({ items: [], total: 0 });
    expect(await store.get(runIdOf('2026-03-02T00-00-00Z-bulk-1000'))).toBeNull();
  });

  it('follows no link, out of the folder or inside of it', async () => {
    const secret = '2026-03-05T00-00-00Z-secret';
    await writeRun(base, { name: secret });
    const name = '2026-03-02T00-00-00Z-bulk-1000';
    const id = await writeRun(dir, { name, report: null });
    await symlink(join(base, secret), join(dir, secret));
    await symlink(name, join(dir, 'latest'));
    await symlink(join(base, secret, 'report.html'), join(dir, name, 'report.html'));
    const store = createRunStore(dir);
    const { items, total } = await store.list(PAGE);
    expect([items.map(({ hasReport }) => hasReport), total]).toEqual([[false], 1]);
    expect(await store.report(id)).toBeNull();
    expect(await store.report(runIdOf(secret))).toBeNull();
    await rm(join(dir, name, 'result.json'));
    await symlink(join(base, secret, 'result.json'), join(dir, name, 'result.json'));
    expect(await createRunStore(dir).get(id)).toBeNull();
  });

  it.each([
    'reference',
    '..',
    'latest',
    '2026-03-02T00-00-00Z-',
    '2026-03-02T00-00-00Z-a b',
    '.2026-03-02T00-00-00Z-a',
  ])('does not take a folder named %j for a run', async (name) => {
    if (name !== '..') await writeRun(dir, { name });
    const store = createRunStore(dir);
    expect((await store.list(PAGE)).total).toBe(0);
    expect(await store.report(runIdOf(name))).toBeNull();
  });

  it('reads no result that is larger than it may be', async () => {
    const name = '2026-03-02T00-00-00Z-bulk-1000';
    await writeRun(dir, { name });
    await truncate(join(dir, name, 'result.json'), 8e6 + 1);
    await truncate(join(dir, name, 'report.html'), 128e6 + 1);
    const store = createRunStore(dir);
    expect(await store.list(PAGE)).toMatchObject({ items: [], unreadable: [name] });
    expect(await store.report(runIdOf(name))).toBeNull();
  });

  it('tells of one run how long its stages took, and how far repeats of a metric were apart', async () => {
    const id = await writeRun(dir);
    const store = createRunStore(dir);
    const run = (await store.get(id))!;
    expect(run.stages).toEqual([
      {
        name: 'infer',
        count: 1000,
        p50Ms: 12,
        p95Ms: 19,
        p99Ms: 30,
        histogram: [
          [27, 100],
          [28, 700],
          [34, 200],
        ],
      },
      { name: 'settle', count: 1, p50Ms: 300, p95Ms: 300, p99Ms: 300, histogram: [] },
    ]);
    expect(run.budgets.map(({ spread }) => spread)).toEqual([0.1, null]);
    expect((await store.list(PAGE)).items[0]).not.toHaveProperty('stages');
  });

  it('sees a result that was written anew', async () => {
    const name = '2026-03-02T00-00-00Z-bulk-1000';
    const id = await writeRun(dir, { name });
    const store = createRunStore(dir);
    expect((await store.get(id))?.verdict).toBe('pass');
    const file = join(dir, name, 'result.json');
    await writeFile(file, JSON.stringify(resultJson({ verdict: 'fail' })));
    await utimes(file, new Date(), new Date(Date.now() + 5000));
    expect((await store.get(id))?.verdict).toBe('fail');
  });

  it('calls a profile by its file, and shows no password of an inference server', async () => {
    const at = (pool: string, name: string) => writeRun(dir, { name, pool });
    await at('sim:/tmp/segbench-run-a1/timer.json', '2026-03-01T00-00-00Z-overload');
    await at('kserve:http://user:hunter2@host:8000', '2026-03-02T00-00-00Z-overload');
    const { items } = await createRunStore(dir).list(PAGE);
    const pools = items.map(({ machine }) => machine.find(({ name }) => name === 'inference pool')?.value);
    expect(pools[1]).toBe('sim:timer.json/cpu');
    expect(JSON.stringify(items)).not.toContain('hunter2');
  });
});
