import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runTrial, toldResult } from '../../src/doctor/trial.ts';

const CRASHING = join(import.meta.dirname, 'crashing-child.ts');
const NUCLEI = join(import.meta.dirname, '../../../service/models/nuclei/1');
const trial = (modelDir: string, limitMs?: number) => runTrial({ modelDir, provider: 'webgpu' }, CRASHING, limitMs);

describe('runTrial', () => {
  it('segments an image in a process of its own', async () => {
    const outcome = await runTrial({ modelDir: NUCLEI, provider: 'cpu' });
    expect(outcome).toMatchObject({ result: { width: 256, height: 256, cells: 16, warnings: [] } });
    expect(outcome).not.toHaveProperty('end');
  });

  it('survives a process that crashes, and tells its last words', async () => {
    expect(await trial('before')).toEqual({
      error: 'the process ended by SIGSEGV without a result: vulkan: device lost',
      end: 'ended by SIGSEGV',
    });
  });

  it('keeps a result that came before the crash, and tells of it', async () => {
    expect(await trial('after')).toMatchObject({ result: { cells: 3 }, end: 'ended by SIGSEGV' });
  });

  it('kills a process that does not answer', async () => {
    expect(await trial('hangs', 300)).toMatchObject({ error: 'the process killed after 0.3 s without a result' });
  });

  it('says what a provider says that is not there', async () => {
    const outcome = await runTrial({ modelDir: NUCLEI, provider: 'coreml' });
    expect(outcome).toMatchObject({ error: expect.stringContaining('provider "coreml" is not in this') as string });
  });
});

describe('toldResult', () => {
  it('gives size, times and cells', () => {
    const result = { loadMs: 40, firstMs: 90.4, ms: 25.25, width: 300, height: 200, cells: 7, warnings: [] };
    expect(toldResult(result)).toBe('300 x 200 in 25.3 ms (the first in 90 ms, loaded in 40 ms): 7 cells');
  });
});
