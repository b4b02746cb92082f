import { cp, readFile, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { BudgetName, Measurements, NoiseInfo } from '../contract.ts';
import { openLedgerSocket } from '../drivers/ledger-socket.ts';
import { projectRoot } from '../environment/paths.ts';
import { generateImages } from '../images/generator.ts';
import type { ImageSet } from '../images/image-set.ts';
import { judgeBudgets } from '../judge/budgets.ts';
import { withoutFloors } from '../judge/frames.ts';
import { scrapeAll } from '../measure/scrape.ts';
import { createBench, need, type Bench } from '../run/bench.ts';
import { collectCounters, collectLedger, collectProcesses } from '../run/collect.ts';
import type { RunFolder } from '../run/folder.ts';
import { runPhases, type PhaseName } from '../run/phases.ts';
import { createProgress } from '../run/progress.ts';
import type { Services } from '../run/services.ts';
import type { Stop } from '../run/stop.ts';
import { startWatch } from '../run/watch.ts';
import { SMALL } from './scenario.ts';
import type { Plant } from './table.ts';

export interface PlantGround {
  services: Services;
  folder: RunFolder;
  stop: Stop;
}
export interface PlantRun {
  bench: Bench;
  measurements: Measurements;
  noise: NoiseInfo;
}

const silent = { write: () => true };
/** Phases that ask enough of routes and database for their latencies to be judged. */
const LOADING: readonly PhaseName[] = ['upload', 'batch', 'browse'];

export function smallImages(tempDir: string, seed: number, count = SMALL.images.count): Promise<ImageSet> {
  const { minSide, maxSide, medianSide, maxCells } = SMALL.images;
  const limits = { minSide, maxSide, medianSide, maxCells };
  return generateImages({ count, seed, directory: join(tempDir, `images-${seed}`), labels: 0, limits });
}

/** Runs some phases, from the start or on what a clean run left, and measures what they show. */
export async function measurePhases(
  { services, folder, stop }: PlantGround,
  given: Pick<Plant, 'phases' | 'script'> & { set: ImageSet; on?: Bench | undefined; pagePath?: Bench['pagePath'] },
): Promise<PlantRun> {
  const { phases, script, set, on, pagePath } = given;
  const watch = await startWatch(services);
  const progress = createProgress(silent);
  const bench = createBench(
    {
      scenario: SMALL,
      mode: 'optimized',
      services,
      set,
      folder,
      progress,
      sampler: watch.sampler,
      signal: stop.signal,
      seed: 1,
      pageScript: script,
      ...(pagePath ? { pagePath } : {}),
    },
    await scrapeAll(services.processes),
  );
  try {
    if (on && !phases.includes('upload')) await takeOver(bench, on);
    await runPhases(bench, phases);
    // Without one of these a service does little but start: a percentile of that says nothing.
    if (phases.some((phase) => LOADING.includes(phase))) await collectCounters(bench);
    await collectProcesses(bench);
    if (phases.includes('batch')) await collectLedger(bench);
  } finally {
    await bench.page?.close();
    bench.socket?.close();
    progress.close();
  }
  const { noise } = await watch.end();
  return { bench, measurements: bench.measurements, noise };
}

/** The project, images and batches of a run before, seen by a new subscriber. */
async function takeOver(bench: Bench, { projectId, upload, first, burst }: Bench): Promise<void> {
  const { url, key } = bench.services;
  const project = need(projectId, 'the clean project');
  Object.assign(bench, { projectId: project, upload, first, burst: undefined });
  void burst;
  bench.socket = await openLedgerSocket({ baseUrl: url, key, projectId: project });
}

type Measured = Pick<PlantRun, 'measurements' | 'noise'>;

/**
 * The budgets that are red when a plant's measurements take the place of the clean run's. What others did to the machine while it was measured
 * may explain any budget but those of `turns`: a violation of those was planted, however noisy it is.
 */
export function redBudgets(clean: Measured, run: Measured, turns: readonly BudgetName[] = []): BudgetName[] {
  const judge = (measurements: Measurements, noise?: NoiseInfo) =>
    judgeBudgets(measurements, SMALL.budgets, { imageCount: SMALL.images.count, noise });
  const isOwn = (name: BudgetName) => (run.measurements[name]?.actual ?? null) !== null;
  const planted = judge(withoutFloors(run.measurements)).filter(({ name }) => turns.includes(name));
  const others = [
    ...judge(run.measurements, run.noise).filter(({ name }) => isOwn(name)),
    ...judge(clean.measurements, clean.noise).filter(({ name }) => !isOwn(name)),
  ].filter(({ name }) => !turns.includes(name));
  return [...planted, ...others].filter(({ verdict }) => verdict === 'fail').map(({ name }) => name);
}

/** A copy of the built pages whose gallery loads 700 kB that do not compress. */
export async function heavyPages(tempDir: string): Promise<string> {
  const folder = join(tempDir, 'heavy-pages');
  await cp(join(projectRoot, 'dashboards/dist'), folder, { recursive: true });
  await writeFile(join(folder, 'assets/heavy.js'), `// ${randomBytes(600_000).toString('base64')}\n`);
  const document = join(folder, 'gallery.html');
  const html = await readFile(document, 'utf8');
  await writeFile(document, html.replace('</head>', '<script src="/assets/heavy.js" defer></script></head>'));
  return folder;
}
