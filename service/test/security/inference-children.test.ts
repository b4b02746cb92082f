import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import type { InferenceBackend } from '../../src/inference/pool/backend.ts';
import { createLocalPool } from '../../src/inference/pool/local.ts';

const MODEL = path.join(import.meta.dirname, '../../models/nuclei/1');
let pool: InferenceBackend | undefined;
afterEach(async () => {
  vi.unstubAllEnvs();
  await pool?.close();
});

it('inference children, which decode as well, have a memory limit that they cannot lift, and no secrets', async () => {
  const secrets = {
    DATABASE_URL: 'postgres://a:secret@b/c',
    BOOTSTRAP_API_KEY: 'secret',
    POOL: 'kserve:http://a:secret@b',
  };
  for (const [name, value] of Object.entries({ ...secrets, URL_SIGNING_KEY: 'secret', CUDA_VISIBLE_DEVICES: '0' }))
    vi.stubEnv(name, value);
  const memoryBytes = 1_500_000_000;
  pool = createLocalPool({ workers: 1, modelDir: MODEL, provider: 'cpu', timeoutMs: 20_000, memoryBytes });
  await pool.load();
  const { pid } = pool.stats().workers[0]!;
  const bytes = String(Math.ceil((704 * 2 ** 20 + memoryBytes) / 1024) * 1024);
  const limits = await readFile(`/proc/${pid}/limits`, 'utf8');
  expect(limits).toMatch(new RegExp(`Max data size\\s+${bytes}\\s+${bytes}`));
  expect(limits).toMatch(/Max core file size\s+0\s+0/);
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
  expect(environment).not.toContain('secret');
  // What drivers look for stays.
  expect(environment).toContain('CUDA_VISIBLE_DEVICES=0');
});
