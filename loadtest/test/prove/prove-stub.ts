import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PROVE } from '../../../scenarios/prove.ts';
import type { ProveScenario } from '../../../scenarios/scenario.ts';
import { createProgress } from '../../src/run/progress.ts';
import { prove } from '../../src/prove/follow.ts';
import { createLine } from '../../src/prove/line.ts';
import { createJournal, type ProofFault, type ProofRecord } from '../../src/prove/records.ts';
import { guardTarget } from '../../src/targets/guard.ts';
import { loadTarget } from '../../src/targets/load-target.ts';

/** Waits that are long for this process and short for a test; events that are lost are given up soon. */
export const FAST: ProveScenario['follow'] = {
  ...PROVE.follow,
  askEveryMs: 50,
  giveUpMs: 1000,
  stallMs: 10_000,
  settleMs: 300,
};

export interface StubRun {
  adapter: string;
  images?: number;
  fault?: ProofFault;
  follow?: Partial<ProveScenario['follow']>;
  /** Content of every file. */
  bytes?: Uint8Array<ArrayBuffer>;
}

/** The raw ledger of a proof of a service that runs already, through its adapter, as the runner makes it. */
export async function proveStub(given: StubRun): Promise<{ records: readonly ProofRecord[]; log: string[] }> {
  const { adapter, images = 200, fault = 'cut', bytes = new TextEncoder().encode('an image') } = given;
  const folder = await mkdtemp(join(tmpdir(), 'segbench-stub-'));
  const path = join(folder, 'image.png');
  await writeFile(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const names = Array.from({ length: images }, (_, at) => `cells-${at}.png`);
  const file = { path, sha256, sizeBytes: bytes.length, mimeType: 'image/png' };
  const set = {
    images: names.map((name) => ({ name, ...file, width: null, height: null, cells: null, labelsPath: null })),
  };
  const raw = await loadTarget(adapter);
  const { signal } = new AbortController();
  const log: string[] = [];
  const broken: Error[] = [];
  const target = guardTarget(raw, {
    name: adapter,
    signal,
    onBroken: (error) => void broken.push(error),
    mostEvents: 100_000,
  });
  const line = createLine();
  const journal = createJournal();
  const follow = { ...FAST, ...given.follow };
  try {
    const config = {
      images,
      signal,
      log: (text: string) => void log.push(text),
      through: (url: string) => line.through(url),
    };
    const about = await target.open(config);
    journal.add({
      type: 'run',
      version: 1,
      tool: 'test',
      scenario: 'prove',
      target: { ...about, adapter },
      startedAt: new Date().toISOString(),
      images,
      seed: 1,
      fault,
      lateMs: follow.lateMs,
    });
    for (const name of names) journal.add({ type: 'image', name, sha256, sizeBytes: bytes.length });
    await prove({
      target,
      scenario: { ...PROVE, follow },
      set,
      fault,
      journal,
      line,
      signal,
      progress: createProgress({ write: () => true }),
      cutsItself: raw.cut !== undefined,
    });
    journal.end();
  } finally {
    await target.close();
    await line.close();
    await rm(folder, { recursive: true, force: true });
  }
  if (broken[0]) throw broken[0];
  return { records: journal.records(), log };
}
