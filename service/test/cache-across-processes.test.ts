import { connect, createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image, Project } from '#contract/images.ts';
import { createKeyStore } from '../src/database/keys.ts';
import { startTestApp, type TestApp } from './support/app.ts';
import { form, picture } from './support/pictures.ts';
import { FIRST_TENANT } from '../src/tenants/first.ts';

/** Two API apps on one database, one Redis and one folder: what one has acknowledged, the other shows. */
let writer: TestApp;
let reader: TestApp;
let project: Project;
const read = async <T>(path: string) => (await (await reader.call(path)).json()) as T;
beforeAll(async () => {
  writer = await startTestApp();
  reader = await startTestApp({}, { beside: writer });
  project = (await (await writer.call('/api/projects', { method: 'POST', json: { name: 'p' } })).json()) as Project;
});
afterAll(async () => {
  await reader.close();
  await writer.close();
});

describe('a write through one process, read through another', () => {
  it('is never stale in 1,000 renames, uploads, batches and deletions', async () => {
    const bytes = await picture(1);
    const images = `/api/projects/${project.id}/images`;
    const { hits } = reader.app.metrics.cacheTotals;
    for (let round = 0; round < 250; round++) {
      const name = `name ${round}`;
      await writer.call(`/api/projects/${project.id}`, { method: 'PATCH', json: { name } });
      expect((await read<Project>(`/api/projects/${project.id}`)).name).toBe(name);
      expect((await read<{ items: Project[] }>('/api/projects')).items[0]!.name).toBe(name);
      const reply = await writer.call(images, { method: 'POST', body: form([{ name: 'a.png', bytes }]) });
      const [image] = ((await reply.json()) as { images: Image[] }).images;
      const listed = await read<{ items: Image[]; total: number }>(images);
      expect([listed.total, listed.items[0]?.status]).toEqual([1, 'uploaded']);
      expect(await read(images)).toEqual(listed);
      await writer.call(`/api/projects/${project.id}/batches`, { method: 'POST', json: { all: true } });
      expect((await read<{ items: Image[] }>(images)).items[0]!.status).toBe('queued');
      expect((await read<Image>(`/api/images/${image!.id}`)).status).toBe('queued');
      await writer.call(`/api/images/${image!.id}`, { method: 'DELETE' });
      expect((await read<{ total: number }>(images)).total).toBe(0);
      expect((await reader.call(`/api/images/${image!.id}`)).status).toBe(404);
    }
    // Else the cache was not asked and nothing is shown by this.
    expect(reader.app.metrics.cacheTotals.hits - hits).toBeGreaterThan(250);
  }, 300_000);

  it('refuses a revoked key without waiting for the trust in it to end', async () => {
    // A clock that stands still: trust would last for ever.
    const frozen = createKeyStore(reader.sql, { now: () => 1 });
    const { id, token } = await writer.app.keys.create({ name: 'k', scopes: ['read'], tenantId: FIRST_TENANT });
    expect(await frozen.byToken(token)).not.toBeNull();
    expect((await reader.call('/api/projects', { key: token })).status).toBe(200);
    const forget = reader.app.keys.forget;
    let told = 0;
    reader.app.keys.forget = () => {
      told++;
      forget();
      frozen.forget();
    };
    expect((await writer.call(`/api/keys/${id}`, { method: 'DELETE' })).status).toBe(204);
    while (told === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await frozen.byToken(token)).toBeNull();
    expect((await reader.call('/api/projects', { key: token })).status).toBe(401);
  });

  it('is not undone by a slow read that began before it', async () => {
    // The way to the database, on which answers can be held back: the rows are read, and arrive after the write.
    const target = new URL(writer.app.config.databaseUrl);
    let holding = false;
    /** The answer that carries the old name, and what comes after it; other answers the service waits for pass. */
    const held: (() => void)[] = [];
    const proxy = createServer((client) => {
      const server = connect(Number(target.port), target.hostname);
      client.pipe(server);
      server.on('data', (chunk) => {
        if (holding && (held.length > 0 || chunk.includes('before'))) held.push(() => void client.write(chunk));
        else client.write(chunk);
      });
      for (const [one, other] of [
        [client, server],
        [server, client],
      ] as const)
        one.on('error', () => {}).on('close', () => other.destroy());
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const through = new URL(target);
    through.port = String((proxy.address() as AddressInfo).port);
    const slow = await startTestApp({ DATABASE_POOL: '1' }, { beside: writer, databaseUrl: through.href });
    const path = `/api/projects/${project.id}`;
    try {
      // The statement is prepared now: its next answer carries rows.
      await slow.call(path);
      await writer.call(path, { method: 'PATCH', json: { name: 'before' } });
      holding = true;
      const reading = slow.call(path);
      while (held.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await writer.call(path, { method: 'PATCH', json: { name: 'after' } });
      holding = false;
      for (const release of held) release();
      expect(((await (await reading).json()) as Project).name).toBe('before');
      for (const app of [slow, reader]) expect(((await (await app.call(path)).json()) as Project).name).toBe('after');
    } finally {
      await slow.close();
      proxy.close();
    }
  });

  it('works without the cache', async () => {
    const without = await startTestApp({ CACHE_REDIS_URL: 'redis://127.0.0.1:1' }, { beside: writer });
    const path = `/api/projects/${project.id}`;
    for (const name of ['one', 'two']) {
      expect((await without.call(path, { method: 'PATCH', json: { name } })).status).toBe(200);
      expect(((await (await without.call(path)).json()) as Project).name).toBe(name);
    }
    await without.close();
  });
});
