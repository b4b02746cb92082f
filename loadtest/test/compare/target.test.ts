import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import { BULK_1000 } from '../../../scenarios/bulk-1000.ts';
import type { SideInfo, Triple } from '../../src/compare/contract.ts';
import { decide } from '../../src/compare/decide.ts';
import { filesOf, figuresOf } from '../../src/compare/target/block.ts';
import { runTargetComparison } from '../../src/compare/target/run.ts';
import { generateImages } from '../../src/images/generator.ts';
import { createProgress } from '../../src/run/progress.ts';
import { createStop } from '../../src/run/stop.ts';
import { startStub, type Stub, type StubPlants } from '../prove/stub-service.ts';

const MINIMAL = join(import.meta.dirname, '../../../examples/adapters/minimal.ts');
const folders: string[] = [];
const stubs: Stub[] = [];
afterEach(async () => {
  await Promise.all(stubs.splice(0).map((stub) => stub.kill()));
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});
function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'segbench-targets-'));
  folders.push(made);
  return made;
}

/** An adapter file of a stub of its own. */
async function target(plants: StubPlants = {}, more = ''): Promise<string> {
  const stub = await startStub(plants);
  stubs.push(stub);
  const path = join(folder(), 'adapter.ts');
  const lines = [
    `import create from ${JSON.stringify(MINIMAL)};`,
    `export default () => { process.env.MY_SERVICE_URL = ${JSON.stringify(stub.url)}; const made = create(); return { ...made${more} }; };`,
  ];
  writeFileSync(path, lines.join('\n'));
  return path;
}

async function compare(base: string, head: string, pairs = 1) {
  const triples: Triple[] = [];
  const sides: SideInfo[] = [];
  const options = {
    scenario: BULK_1000,
    base: { name: 'base', ref: base, commit: '' },
    head: { name: 'head', ref: head, commit: '' },
    pairs,
    images: 12,
    seed: 3,
    workers: 1,
    pool: 'local',
    minutes: 5,
  } as const;
  const input = {
    options,
    progress: createProgress({ write: () => true }),
    stop: createStop(),
    onTriple: (triple: Triple) => triples.push(triple),
    onImages: () => {},
  };
  await runTargetComparison(input, (...both) => sides.push(...both));
  return { triples, sides, decision: decide(triples, { looks: [pairs], isLast: true, seed: 1 }) };
}

describe('two services by their adapters', () => {
  it('are measured from outside, in blocks that no cache knows', async () => {
    const { triples, sides, decision } = await compare(await target(), await target());
    expect(sides.map(({ name }) => name)).toEqual(['base', 'head']);
    expect(triples).toHaveLength(1);
    expect(triples[0]!.b).toMatchObject({
      cpuMsPerImage: null,
      eventsWrong: 0,
      notCompleted: 0,
      queriesPerImage: null,
    });
    expect(triples[0]!.b.imageP50Ms).toBeGreaterThan(0);
    expect(decision.verdict).toBe('inconclusive');
    expect(decision.metrics.map(({ metric }) => metric)).toEqual(['batchMsPerImage', 'imageP50Ms', 'imageP95Ms']);
    // A warm-up and three blocks of a pair: two of base, one of head.
    expect(stubs.map(({ seen }) => seen.calls.get('/images'))).toEqual([3 * 12, 2 * 12]);
  });

  it('sends no file twice, not in another comparison either', async () => {
    const sent: string[] = [];
    Object.assign(globalThis, { hearFile: (sha256: string) => sent.push(sha256) });
    const heard =
      ', upload: (files) => (files.forEach(({ sha256 }) => globalThis.hearFile(sha256)), made.upload(files))';
    const [base, head] = [await target({}, heard), await target({}, heard)];
    await compare(base, head);
    await compare(base, head);
    expect(sent).toHaveLength(2 * 5 * 12);
    expect(new Set(sent).size).toBe(sent.length);
  });

  it('finds a head that tells of an image twice, after one pair', async () => {
    const { decision } = await compare(await target(), await target({ double: 17 }));
    expect(decision.verdict).toBe('regression');
    expect(decision.words[0]).toContain('events missing or twice');
  });

  it('counts the CPU of the processes that an adapter names', async () => {
    const named = `, processes: () => Promise.resolve([${process.pid}])`;
    const { triples, decision } = await compare(await target({}, named), await target({}, named));
    expect(triples[0]!.a.cpuMsPerImage).toBeGreaterThanOrEqual(0);
    expect(triples[0]!.a.foreignCpuShare).not.toBeNull();
    expect(decision.metrics.map(({ metric }) => metric)).toContain('cpuMsPerImage');
  });

  it.each([[{ diesAfter: 6 }, /^head \(.*adapter\.ts\) failed: /]])(
    'says which side failed',
    async (plants, message) => {
      await expect(compare(await target(), await target(plants))).rejects.toThrow(message);
    },
  );

  it('refuses processes that are none', async () => {
    const wrong = await target({}, ', processes: () => Promise.resolve(["init"])');
    await expect(compare(wrong, await target())).rejects.toThrow(
      /processes\(\) gave \["init"\], expected a list of process ids/,
    );
  });
});

describe('a block', () => {
  const end = (atMs: number, status: 'completed' | 'failed' = 'completed') => ({ atMs, status });

  it('counts what was not told once, and what belongs to no image of it', () => {
    const ends = new Map([
      ['a', [end(110)]],
      ['b', [end(120), end(130)]],
      ['c', [end(140, 'failed')]],
      ['old', [end(105)]],
    ]);
    expect(figuresOf(ends, ['a', 'b', 'c', 'd'], 100)).toMatchObject({
      eventsWrong: 3,
      notCompleted: 2,
      imageP50Ms: 20,
      durationMs: 40,
      batchMsPerImage: 10,
    });
    expect(() => figuresOf(new Map(), ['a'], 0)).toThrow('not one end was told');
  });

  it('has files of its own with the same pixels, whatever their format', async () => {
    const directory = folder();
    const { signal } = new AbortController();
    const { images } = await generateImages({ count: 12, seed: 1, directory, labels: 0, signal });
    const [first, second] = [
      await filesOf(images, 'block-1', join(directory, '1')),
      await filesOf(images, 'block-2', join(directory, '2')),
    ];
    expect(new Set([...first, ...second].map(({ sha256 }) => sha256)).size).toBe(24);
    const pixels = (bytes: Uint8Array | string) => sharp(bytes, { failOn: 'warning' }).raw().toBuffer();
    for (const [at, { bytes, path }] of first.entries()) {
      expect((await pixels(bytes)).equals(await pixels(images[at]!.path))).toBe(true);
      expect((await readFile(path)).equals(bytes)).toBe(true);
    }
  });
});
