import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GraphqlReply } from '#contract/graphql.ts';
import { LIMITS, PAGE_LIMIT } from '../../src/graphql/limits.ts';
import { TEST_KEY, startTestApp, type TestApp } from '../support/app.ts';
import { newScene } from './support.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));
let service: TestApp;
let env: NodeJS.ProcessEnv;
let text: string;
beforeAll(async () => {
  text = await readFile(`${root}docs/graphql.md`, 'utf8');
  service = await startTestApp();
  const { project, images, batchId } = await newScene(service, [3, null]);
  env = {
    PATH: process.env['PATH'],
    URL: service.url,
    KEY: TEST_KEY,
    PROJECT: project.id,
    IMAGE: images[0]!.id,
    BATCH: batchId,
  };
});
afterAll(() => service.close());

const blocks = (language: string) =>
  [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, name, body]) => (name === language ? [body!] : []));

describe('docs/graphql.md', () => {
  it('has lines for a shell that do what they say', async () => {
    const lines = blocks('sh');
    expect(lines.length).toBeGreaterThanOrEqual(6);
    const replies: Record<string, unknown> = {};
    for (const line of lines) {
      const { stdout } = await run('sh', ['-c', line], { env });
      const { data, errors } = JSON.parse(stdout) as GraphqlReply;
      const [, status, code] = /^# (\d+) (\w+)$/m.exec(line) ?? [];
      const told = (errors ?? []).map(({ extensions }) => [String(extensions.statusCode), extensions.code]);
      expect({ line, told }).toEqual({ line, told: code === undefined ? [] : [[status, code]] });
      Object.assign(replies, data);
    }
    expect(replies).toMatchObject({
      project: { imageCount: 2, owner: { name: 'bootstrap' }, stats: { segmentedImages: 1 } },
      result: { polygonCount: 3, polygons: expect.any(Array) as unknown },
      batch: { status: 'completed', failures: { groups: [{ code: 'TIMEOUT', count: 1 }] } },
      startBatch: { total: 2 },
      me: { name: 'bootstrap' },
    });
  });

  it('has a client for subscriptions that runs in Node as it stands', async () => {
    const [script] = blocks('js');
    // where its imports are found
    const file = `${root}.graphql-docs-${process.pid}.mjs`;
    await writeFile(file, script!);
    try {
      const { stdout } = await run(process.execPath, [file], { env });
      expect(JSON.parse(stdout)).toEqual({ segmentationProgress: { status: 'completed', percentage: 100 } });
    } finally {
      await rm(file);
    }
  });

  it('tells the limits as they are', () => {
    const row = (name: string) => new RegExp(`^\\| ${name}[^|]*\\| ([^|]*?) +\\|$`, 'm').exec(text)?.[1];
    expect(row('document ')).toBe(`${LIMITS.documentBytes / 1024} KiB, ${LIMITS.tokens.toLocaleString('en')} tokens`);
    expect(row('operations in a document')).toBe(String(LIMITS.operations));
    expect(row('aliases')).toBe(String(LIMITS.aliases));
    expect(row('fields below')).toBe(String(LIMITS.depth));
    expect(row('items of a page')).toBe(String(PAGE_LIMIT));
    expect(row('cost of an operation')).toBe(LIMITS.complexity.toLocaleString('en'));
    expect(row('stored polygons')).toMatch(`${LIMITS.polygonBytes / 1024 / 1024} MiB`);
    expect(row('subscriptions on')).toBe(String(LIMITS.subscriptions));
  });
});
