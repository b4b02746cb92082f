import { cp, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Check } from '../../src/doctor/check.ts';
import { capture } from '../../src/environment/processes.ts';

const ROOT = join(import.meta.dirname, '../../..');
const NUCLEI = join(ROOT, 'service/models/nuclei');
const run = (...args: string[]) => capture(process.execPath, [join(ROOT, 'loadtest/bin/run.mjs'), 'doctor', ...args]);
async function told(...args: string[]): Promise<{ code: number | null; ok: boolean; checks: Check[] }> {
  const { code, stdout } = await run(...args, '--json');
  return { code, ...(JSON.parse(stdout) as { ok: boolean; checks: Check[] }) };
}
const nameOfWrong = (checks: readonly Check[]) => checks.filter((check) => !check.ok).map(({ name }) => name);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'segbench-doctor-test-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
/** A copy of the shipped model, changed. */
async function copy(place: string, change: (dir: string) => Promise<void>): Promise<string> {
  const dir = join(folder, place);
  await cp(join(NUCLEI, '1'), dir, { recursive: true });
  await change(dir);
  return dir;
}

describe('npm run doctor -- --model', () => {
  it('ends with 0 for the shipped model, and segments an image with it', async () => {
    const { code, stdout } = await run('--model', NUCLEI);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ok +card +nuclei 1$/m);
    expect(stdout).toMatch(/^ok +run on cpu +256 x 256 in [\d.]+ ms .*: 16 cells$/m);
    expect(stdout).not.toContain('failed');
  });

  it('ends with 3 and says what is wrong with a card, with weights, and with a folder', async () => {
    const card = await copy('a/nuclei/1', (dir) => writeFile(join(dir, 'card.json'), '{"name": "nuclei"}'));
    const weights = await copy('b/nuclei/1', (dir) => truncate(join(dir, 'model.onnx'), 1000));
    const named = await copy('c/nuclei/4', () => Promise.resolve());
    for (const [dir, name, found] of [
      [card, 'card', 'sha256 is missing, expected 64 hex digits'],
      [weights, 'weights', '(1000 bytes), its card says'],
      [named, 'folder', 'nuclei/4; card.json says nuclei 1'],
    ] as const) {
      const { code, ok, checks } = await told('--model', dir);
      expect({ code, ok, wrong: nameOfWrong(checks) }).toEqual({ code: 3, ok: false, wrong: [name] });
      expect(checks.find((check) => !check.ok)?.found).toContain(found);
      expect(checks.find((check) => !check.ok)?.remedy).toBeDefined();
    }
  });

  it('ends with 3 for an image that cannot be read, and blames the image', async () => {
    const image = join(folder, 'text.png');
    await writeFile(image, 'not an image');
    const { code, checks } = await told('--model', NUCLEI, '--image', image);
    expect([code, nameOfWrong(checks)]).toEqual([3, ['image']]);
  });

  it('ends with 3 for a provider that is not there, and says where to look', async () => {
    const { code, checks } = await told('--model', NUCLEI, '--provider', 'coreml');
    expect([code, nameOfWrong(checks)]).toEqual([3, ['run on coreml']]);
    expect(checks.at(-1)?.remedy).toBe('npm run doctor -- --gpu --provider coreml');
  });
});

describe('npm run doctor -- --gpu', () => {
  it('proves the provider that is chosen with an image', async () => {
    const { code, checks } = await told('--gpu', '--provider', 'cpu');
    expect(code).toBe(0);
    expect(checks).toMatchObject([
      { name: 'cpu', ok: true },
      { name: 'what runs here', ok: true, found: 'npm start with PROVIDER=cpu' },
    ]);
  });

  it('ends with 3 for an endpoint where nothing listens', async () => {
    const { code, checks } = await told('--gpu', '--provider', 'cpu', '--endpoint', 'http://127.0.0.1:1');
    expect([code, nameOfWrong(checks)]).toEqual([3, ['endpoint: server', 'what runs here']]);
  });
});

describe('its usage', () => {
  it.each([
    [[], 'nothing to check; allowed: --model DIR, --gpu, or both'],
    [['--model', '/nowhere'], '--model "/nowhere" is not a folder'],
    [
      ['--gpu', '--provider', 'cdua'],
      '--provider "cdua" is not allowed; allowed: cpu, webgpu, webgpu-software, cuda, coreml, dml (did you mean "cuda"?)',
    ],
    [['--gpu', '--endpoint', 'localhost:8000'], '--endpoint "localhost:8000" is not allowed'],
    [['--image', 'x.png'], '--image "x.png" needs --model DIR'],
    [['--endpoint', 'http://a'], 'nothing to check'],
    [['--model', NUCLEI, '--endpoint', 'http://a'], '--endpoint "http://a" needs --gpu'],
    [['--model', NUCLEI, '--image', '/nowhere.png'], '--image "/nowhere.png" is not a file'],
  ])('%j ends with 2', async (args, message) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
  });

  it('is told by --help, and in the README', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    for (const flag of ['--model', '--gpu', '--provider', '--endpoint', '--json']) expect(stdout).toContain(flag);
    expect(await readFile(join(ROOT, 'README.md'), 'utf8')).toContain('npm run doctor');
  });
});
