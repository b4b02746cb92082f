import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { BULK_1000 } from '../../../scenarios/bulk-1000.ts';
import type { Decision, Triple } from '../../src/compare/contract.ts';
import { decide } from '../../src/compare/decide.ts';
import { looksOf } from '../../src/compare/looks.ts';
import { runComparison } from '../../src/compare/run.ts';
import { EnvironmentError } from '../../src/environment/errors.ts';
import { createProgress } from '../../src/run/progress.ts';
import { createStop, Interrupted, type Stop } from '../../src/run/stop.ts';
import { createStubRepository, type Plant } from './stub/repository.ts';
import { processesIn } from './stub/processes.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

interface Given {
  head?: Plant;
  base?: Plant;
  pairs?: number;
  images?: number;
  stop?: Stop;
  onTriple?: (triple: Triple) => void;
}

/** Compares two commits of a stub and says what is left of it afterwards. */
async function run({ head = {}, base = {}, pairs = 2, images = 6, stop = createStop(), onTriple }: Given = {}) {
  const { directory, base: commit } = createStubRepository(head, base);
  folders.push(directory);
  const triples: Triple[] = [];
  const lines: string[] = [];
  const options = {
    scenario: BULK_1000,
    base: { name: 'base', ref: 'v1', commit },
    head: { name: 'head', ref: 'working tree', commit: 'HEAD' },
    pairs,
    images,
    seed: 1,
    workers: 1,
    pool: 'local',
    minutes: 5,
    repository: directory,
  } as const;
  const outcome = await runComparison({
    options,
    progress: createProgress({ write: (text) => lines.push(text) }),
    stop,
    onTriple: (triple) => {
      triples.push(triple);
      onTriple?.(triple);
    },
    onImages: () => {},
  }).then(
    () => undefined,
    (error: unknown) => error,
  );
  const judge = (): Decision => decide(triples, { looks: looksOf(pairs), isLast: true, seed: 1 });
  return { outcome, triples, lines, judge, left: processesIn(directory) };
}

describe('runComparison', () => {
  it('measures pairs of both sides, by their public interface alone, and leaves nothing', async () => {
    const { outcome, triples, left } = await run({ head: { burnMs: 60 } });
    expect(outcome).toBeUndefined();
    expect(triples).toHaveLength(2);
    const [first] = triples;
    expect(first?.order.split(' ').toSorted()).toEqual(['a', 'again', 'b']);
    expect(first?.a).toMatchObject({
      queriesPerImage: expect.closeTo(1 - 23, 5) as number,
      eventsWrong: 0,
      notCompleted: 0,
    });
    expect(first?.a.stageMs['infer']).toBeCloseTo(10, 5);
    // Fifteen times the work for an image: seen on the CPU whatever else the machine does, through ticks of 10 ms.
    expect((first?.b.cpuMsPerImage ?? 0) / (first?.a.cpuMsPerImage ?? 1)).toBeGreaterThan(2);
    expect(left).toEqual([]);
  });

  it('ends at once, and red, when head sends events twice', async () => {
    const { triples, judge } = await run({ head: { twice: true }, pairs: 4 });
    expect(triples).toHaveLength(1);
    expect(judge()).toMatchObject({ verdict: 'regression', clear: true });
  });

  it('ends red after five pairs when head asks one more query for each image, or sends a fifth more bytes', async () => {
    const { triples, judge } = await run({ head: { queries: 2, bytes: 300 }, pairs: 8 });
    expect(triples).toHaveLength(5);
    const red = judge().counts.filter(({ verdict }) => verdict === 'regression');
    expect(red.map(({ metric }) => metric)).toEqual(['queriesPerImage', 'apiBytesPerImage']);
  });

  it('names the side that died in the middle, and ends the other', async () => {
    const { outcome, left } = await run({ head: { dieAtBatch: 3 }, pairs: 5 });
    expect(outcome).toBeInstanceOf(Error);
    expect(String(outcome)).toContain('head (working tree)');
    expect(left).toEqual([]);
  });

  it('names a base that does not install', async () => {
    const { outcome, left } = await run({ base: { doesNotInstall: true } });
    expect(outcome).toBeInstanceOf(EnvironmentError);
    expect(String(outcome)).toMatch(/base \(v1\) does not install.*code 1.*ETARGET: no such version/s);
    expect(left).toEqual([]);
  });

  it('leaves nothing when it is killed in the middle, while one side is suspended', async () => {
    const { directory, base } = createStubRepository({});
    folders.push(directory);
    const script = join(import.meta.dirname, 'stub/supervisor.ts');
    const child = spawn(process.execPath, [script, directory, base], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    expect(processesIn(directory)).not.toEqual([]);
    child.kill('SIGKILL');
    for (let waitedMs = 0; waitedMs < 30_000 && processesIn(directory).length > 0; waitedMs += 100) await sleep(100);
    expect(processesIn(directory)).toEqual([]);
  });

  it('keeps the pairs until an interrupt, and ends both sides, the suspended one too', async () => {
    const stop = createStop();
    const { outcome, triples, left } = await run({ pairs: 50, stop, onTriple: () => stop.interrupt('SIGINT') });
    expect(outcome).toBeInstanceOf(Interrupted);
    expect(triples).toHaveLength(1);
    expect(left).toEqual([]);
  });
});
