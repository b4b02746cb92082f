import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Image, Project } from '#contract/images.ts';
import { onPath } from '../../../loadtest/src/environment/processes.ts';
import type { Loop } from '../../src/batches/loop.ts';
import { createPurges, notePurges } from '../../src/cdn/purges.ts';
import { createSigner } from '../../src/cdn/sign.ts';
import { until } from '../batches/fixture.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { finishBatch, uploadPictures } from '../support/results.ts';
import { startReceiver } from './nginx-receiver.ts';

const nginx = onPath('nginx', process.env);
const KEY = 'k'.repeat(40);
const TOKEN = 'token-of-the-receiver';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe.skipIf(nginx === undefined)('behind nginx (where there is one: apt-get install nginx-light)', () => {
  let folder: string;
  let proxy: ChildProcess;
  let service: TestApp;
  let receiver: Awaited<ReturnType<typeof startReceiver>>;
  let projectId: string;
  let images: Image[];
  let base: string;
  const loops: Loop[] = [];

  const get = async (url: string) => {
    const reply = await fetch(url);
    const bytes = Buffer.from(await reply.arrayBuffer());
    return { status: reply.status, cache: reply.headers.get('x-cache-status'), bytes, headers: reply.headers };
  };
  const single = async (id: string) => (await (await service.call(`/api/images/${id}`)).json()) as Image;
  const startPurges = () =>
    loops.push(
      createPurges({
        sql: service.sql,
        config: service.app.config,
        metrics: service.app.metrics,
        onError: () => {},
      }).start(),
    );

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'segbench-nginx-'));
    receiver = await startReceiver(join(folder, 'cache'), TOKEN);
    const port = await freePort();
    base = `http://127.0.0.1:${port}`;
    service = await startTestApp({
      URL_SIGNING_KEY: KEY,
      CDN_BASE_URL: base,
      CDN_PURGE: 'custom',
      CDN_PURGE_URL: `http://${receiver.host}/purge{path}`,
      CDN_PURGE_HOSTS: receiver.host,
      CDN_PURGE_TOKEN: TOKEN,
    });
    const template = await readFile(join(import.meta.dirname, '../../../docs/nginx-cdn.conf'), 'utf8');
    const filled = template
      .replaceAll('DIR', folder)
      .replaceAll('LISTEN', `127.0.0.1:${port}`)
      .replaceAll('ORIGIN', new URL(service.url).host);
    // As root nginx would hand the folder to somebody who may not enter it.
    const conf = userInfo().uid === 0 ? `user root;\n${filled}` : filled;
    await writeFile(join(folder, 'nginx.conf'), conf);
    const args = ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', join(folder, 'error.log')];
    proxy = spawn(nginx!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    proxy.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await until(async () => {
      if (proxy.exitCode !== null) throw new Error(`nginx ended with ${proxy.exitCode}: ${said}`);
      return fetch(base).then(
        (reply) => reply.status === 404,
        () => false,
      );
    });
    const project = await service.call('/api/projects', { method: 'POST', json: { name: 'p' } });
    projectId = ((await project.json()) as Project).id;
    images = await uploadPictures(service, projectId, 3);
    await finishBatch(service, projectId, images, [2, 1, 1]);
    await notePurges(service.sql, true);
  });
  afterAll(async () => {
    await Promise.all(loops.map((loop) => loop.stop()));
    if (proxy?.exitCode === null) {
      proxy.kill('SIGTERM');
      await once(proxy, 'exit');
    }
    await receiver?.close();
    await service?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('is fetched once and then comes from the proxy', async () => {
    const { thumbnailUrl } = await single(images[0]!.id);
    expect(thumbnailUrl!.startsWith(`${base}/api/images/`)).toBe(true);
    const first = await get(thumbnailUrl!);
    const second = await get(thumbnailUrl!);
    expect([first.status, first.cache, second.status, second.cache]).toEqual([200, 'MISS', 200, 'HIT']);
    expect(second.bytes.equals(first.bytes)).toBe(true);
    expect(first.headers.get('surrogate-key')).toBeNull();
  });

  it('keeps nothing that is not for everybody', async () => {
    const { fileUrl, thumbnailUrl } = await single(images[0]!.id);
    for (const url of [fileUrl!, `${thumbnailUrl!}x`, `${base}/api/images/${images[0]!.id}/render?w=9`]) {
      await get(url);
      expect([url, (await get(url)).cache]).toEqual([url, 'MISS']);
    }
    expect((await get(`${thumbnailUrl!}x`)).status).toBe(403);
    expect((await get(`${base}/api/projects`)).status).toBe(404);
  });

  it('forgets a picture when its address expires', async () => {
    const path = `/api/images/${images[2]!.id}/render`;
    const address = base + createSigner([KEY]).sign(path, { w: '9', f: 'png' }, Math.floor(Date.now() / 1000) + 3);
    const first = await get(address);
    expect([first.status, first.cache]).toEqual([200, 'MISS']);
    await until(async () => (await get(address)).status === 403);
    expect(Number(new URL(address).searchParams.get('expires'))).toBeLessThanOrEqual(Date.now() / 1000);
  });

  it('keeps a deleted image until it is purged, and not after; neighbours stay', async () => {
    const [gone, stays] = await Promise.all([single(images[0]!.id), single(images[1]!.id)]);
    for (const { thumbnailUrl, overlayUrl } of [gone, stays])
      for (const url of [thumbnailUrl!, overlayUrl!]) {
        await get(url);
        expect((await get(url)).cache).toBe('HIT');
      }
    expect((await service.call(`/api/images/${gone.id}`, { method: 'DELETE' })).status).toBe(204);
    // Nobody has told the proxy yet: without the purge it would go on like this.
    expect((await get(gone.thumbnailUrl!)).cache).toBe('HIT');
    startPurges();
    await until(() => receiver.purged.includes(`/api/images/${gone.id}/`));
    for (const url of [gone.thumbnailUrl!, gone.overlayUrl!]) {
      const reply = await get(url);
      expect([reply.status, reply.cache]).toEqual([404, 'MISS']);
    }
    expect((await get(stays.thumbnailUrl!)).cache).toBe('HIT');

    // Another result: its mask goes, the picture stays.
    await finishBatch(service, projectId, [images[1]!], [7]);
    await until(() => receiver.purged.includes(`/api/images/${stays.id}/overlay`));
    expect((await get(stays.overlayUrl!)).status).toBe(404);
    expect((await get(stays.thumbnailUrl!)).cache).toBe('HIT');
    const fresh = await get((await single(stays.id)).overlayUrl!);
    expect([fresh.status, fresh.cache]).toEqual([200, 'MISS']);
  });
});
