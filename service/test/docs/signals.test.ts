import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Batch } from '#contract/batches.ts';
import type { UploadReply } from '#contract/images.ts';
import { onPath } from '../../../loadtest/src/environment/processes.ts';
import { projectRoot } from '../../../loadtest/src/environment/paths.ts';
import { loadConfig } from '../../src/config.ts';
import { insertProject, until } from '../batches/fixture.ts';
import { startPath, type Path } from '../roles/path.ts';
import { TEST_KEY } from '../support/app.ts';
import { picture } from '../support/pictures.ts';
import { startCollector, type Collector } from '../traces/collector.ts';
import { SECRET, startReceiver, type Receiver } from '../webhooks/receiver.ts';
import { createSender } from '../webhooks/sender.ts';
import { blocksOf, shapeOf } from './blocks.ts';

const bash = async (code: string, env: Record<string, string> = {}, cwd = projectRoot) =>
  (await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', code], { cwd, env: { ...process.env, ...env } }))
    .stdout;
const page = (name: string) => readFile(join(projectRoot, 'docs', name), 'utf8');
/** The only `sh` block of a page that has these words. */
async function block(name: string, words: string): Promise<string> {
  const found = blocksOf(await page(name)).filter(({ code }) => code.includes(words));
  expect(found).toHaveLength(1);
  return found[0]!.code;
}

let receiver: Receiver;
let collector: Collector;
let path: Path;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-signals-'));
  [receiver, collector] = await Promise.all([startReceiver(), startCollector()]);
  path = await startPath({
    WEBHOOK_ORIGINS: receiver.origin,
    WEBHOOK_SECRET: SECRET,
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_TRACES_SAMPLER: 'parentbased_always_off',
  });
});
afterAll(async () => {
  await path?.close();
  await Promise.all([receiver?.close(), collector?.close()]);
  await rm(folder, { recursive: true, force: true });
});

const programs = ['bash', 'curl', 'openssl'].every((name) => onPath(name, process.env) !== undefined);
describe.skipIf(!programs)('the pages of webhooks and traces', () => {
  it('start the service with settings that it takes', async () => {
    const starts = (await Promise.all(['webhooks.md', 'traces.md'].map(page)))
      .flatMap(blocksOf)
      .filter(({ code }) => code.includes('npm start'));
    const servers = { DATABASE_URL: 'postgres://x', QUEUE_REDIS_URL: 'redis://x', CACHE_REDIS_URL: 'redis://x' };
    const configs = await Promise.all(
      starts.map(async ({ code }) => {
        const env = await bash(`npm() { env; }\n${code}`);
        const pairs = env.split('\n').map((line) => /^((?:WEBHOOK|OTEL)_\w+)=(.*)$/.exec(line) ?? []);
        return loadConfig({
          ...servers,
          ...Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value])),
        });
      }),
    );
    expect(
      configs.map((one) => [one.webhookUrl, one.webhookOrigins.length, one.webhookSecret.length, one.otlpEndpoint]),
    ).toEqual([
      ['https://hooks.example.org/segbench', 0, 1, ''],
      ['', 2, 2, ''],
      ['', 0, 0, 'http://127.0.0.1:4318'],
    ]);
  });

  it('start a batch that tells its receiver what the page shows, signed', async () => {
    const { projectId } = await insertProject(path.sql, 2);
    const code = (await block('webhooks.md', '"webhook"'))
      .replace('https://hooks.example.org', receiver.origin)
      .replace('http://127.0.0.1:8080', path.server.url);
    const { id } = JSON.parse(await bash(code, { KEY: TEST_KEY, PROJECT: projectId })) as Batch;
    await path.post(`/api/batches/${id}/cancel`);
    await createSender(path.sql, path.server.app.config).send();
    expect(receiver.received).toMatchObject([{ path: '/plate-7', problem: null, body: { type: 'batch.cancelled' } }]);
    const shown = JSON.parse(/```json\n([^`]+)```/.exec(await page('webhooks.md'))![1]!) as {
      data: { status: string };
    };
    const status = { type: 'batch.cancelled', data: { ...shown.data, status: 'cancelled' } };
    expect(shapeOf(receiver.received[0]!.body)).toEqual(shapeOf({ ...shown, ...status }));
  });

  it('bring an image that is traced as its caller asks', async () => {
    await writeFile(join(folder, 'a.png'), await picture(1));
    const { projectId } = await insertProject(path.sql, 1);
    const code = (await block('traces.md', 'traceparent')).replace('http://127.0.0.1:8080', path.server.url);
    const { images } = JSON.parse(await bash(code, { KEY: TEST_KEY, PROJECT: projectId }, folder)) as UploadReply;
    expect(images).toHaveLength(1);
    await until(() => collector.spans.length === 2);
    expect(collector.spans.map(({ name }) => name).toSorted()).toEqual([
      'POST /api/projects/:id/images',
      'receive image',
    ]);
    expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1);
  });
});
