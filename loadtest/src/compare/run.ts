import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BulkScenario } from '../../../scenarios/scenario.ts';
import { EnvironmentError } from '../environment/errors.ts';
import { startKeeper } from '../environment/keeper-client.ts';
import { projectRoot } from '../environment/paths.ts';
import { uploadFiles } from '../drivers/upload.ts';
import { createHttpClient } from '../drivers/http-client.ts';
import type { ImageSet } from '../images/image-set.ts';
import { createClosers, type Closers } from '../run/closers.ts';
import { makeImages } from '../run/images.ts';
import type { Progress } from '../run/progress.ts';
import { orStop, type Stop } from '../run/stop.ts';
import { awaitReady, measureBlock } from './block.ts';
import type { BlockFigures, SideInfo, Triple } from './contract.ts';
import { measurePairs } from './pairs.ts';
import { sideOf, type BlockName } from './schedule.ts';
import { checkOut, install } from './side/checkout.ts';
import { startSide, type Side } from './side/side.ts';

export interface CompareRunOptions {
  scenario: BulkScenario;
  base: SideInfo;
  head: SideInfo;
  pairs: number;
  images: number;
  seed: number;
  workers: number;
  pool: string;
  /** No pair begins that would end after so many minutes from the start. */
  minutes: number;
  /** Every pair is measured, however clear the verdict is. */
  all?: boolean;
  /** Settings of head alone. */
  headSettings?: Readonly<Record<string, string>>;
  /** Head's working tree, and the repository that base is checked out of (default: this one). */
  repository?: string;
}
export interface CompareRunInput {
  options: CompareRunOptions;
  progress: Progress;
  stop: Stop;
  /** Receives each pair as it is measured, so that an end in the middle loses none. */
  onTriple: (triple: Triple) => void;
  onImages: (set: ImageSet) => void;
}

/** Of a batch that is run before each measured one. */
const WARM_IMAGES = 10;
const END_NOTICED_MS = 500;
const UPLOAD = { concurrency: 4, filesPerRequest: 20 };

interface Resident {
  side: Side;
  projectId: string;
  imageIds: string[];
}

/** Both sides up, measured in pairs until the verdict is clear, and down again whatever happens. Ends early by the stop's reason. */
export async function runComparison({ options, progress, stop, onTriple, onImages }: CompareRunInput): Promise<void> {
  const startedAt = Date.now();
  const closers = createClosers((line) => progress.line(line));
  try {
    const keeper = await startKeeper({ servers: 'none', log: (line) => progress.line(line), signal: stop.signal });
    closers.add(() => keeper.stop());
    void keeper.died.then(({ what, detail }) => stop.lost(`${what} is gone: ${detail}`));
    const { tempDir } = keeper.started;
    const directory = join(tempDir, 'base');
    progress.phase(`check out base (${options.base.ref})`);
    const repository = options.repository ?? projectRoot;
    const checkout = { ...options.base, directory, repository, signal: stop.signal };
    await checkOut(checkout);
    progress.phase(`install base (${options.base.ref})`);
    await install(checkout);
    const set = await makeImages({ ...options, count: options.images }, tempDir, progress, stop.signal);
    onImages(set);
    const ground = { options, set, tempDir, progress, stop, closers, onGroup: keeper.watchGroup };
    const base = await bringUp(ground, options.base, directory);
    const head = await bringUp(ground, options.head, repository);
    const residents = { base, head };
    const measure = (block: BlockName) => oneBlock(residents[sideOf(block)], options, stop);
    await measurePairs({ options, progress, onTriple, startedAt, measure });
  } finally {
    progress.phase('stop');
    await closers.closeAll();
    progress.done();
  }
}

interface Ground {
  options: CompareRunOptions;
  set: ImageSet;
  tempDir: string;
  progress: Progress;
  stop: Stop;
  closers: Closers;
  onGroup: (pid: number) => void;
}

/** One side started, given the images, and suspended. */
async function bringUp(ground: Ground, info: SideInfo, directory: string): Promise<Resident> {
  const { options, set, tempDir, progress, stop, closers, onGroup } = ground;
  progress.phase(`start ${info.name} (${info.ref})`);
  const starting = startSide({
    info,
    directory,
    dataDir: join(tempDir, `${info.name}-data`),
    workers: options.workers,
    pool: options.pool,
    ...(info.name === 'head' && options.headSettings ? { settings: options.headSettings } : {}),
    onGroup,
    log: (line) => progress.line(line),
    stop,
  });
  const side = await starting;
  closers.add(() => side.end());
  try {
    const resident = await upload(side, set, stop.signal);
    progress.done(`${side.url}, ${set.images.length} images, metrics of ${side.metrics.length} processes`);
    await side.suspend();
    return resident;
  } catch (error) {
    throw await sideLost(side, error, stop.signal);
  }
}

/** The images' ids in the order of their names: the same on both sides, whatever order the uploads came in. */
async function upload(side: Side, set: ImageSet, signal: AbortSignal): Promise<Resident> {
  const client = createHttpClient({ baseUrl: side.url, key: side.key, connections: UPLOAD.concurrency });
  try {
    const project = await client.call('POST /api/projects', { body: { name: 'compare' }, signal });
    const { uploaded, rejected } = await uploadFiles({
      client,
      projectId: project.id,
      files: set.images,
      ...UPLOAD,
      signal,
    });
    if (rejected[0]) throw new Error(`${rejected[0].name} was rejected: ${rejected[0].message}`);
    const sorted = uploaded.toSorted((one, other) => (one.file.name < other.file.name ? -1 : 1));
    return { side, projectId: project.id, imageIds: sorted.map(({ image }) => image.id) };
  } finally {
    client.close();
  }
}

/** What a side failed to do, with its name; a stop stays the stop that it is. */
async function sideLost(side: Side, error: unknown, signal: AbortSignal): Promise<unknown> {
  // A broken connection is noticed before the end of the process that broke it, which says more.
  await sleep(END_NOTICED_MS);
  if (signal.aborted) return signal.reason;
  const why = error instanceof Error ? error.message : String(error);
  const named = why.startsWith(side.label) ? why : `${side.label} failed: ${why}`;
  return new EnvironmentError(named, { cause: error });
}

/** Wakes the side, measures, and puts it to sleep again. A side that fails to do its work is lost, and named. */
async function oneBlock(resident: Resident, options: CompareRunOptions, stop: Stop): Promise<BlockFigures> {
  const { side, projectId, imageIds } = resident;
  const { threshold, timeoutMs } = options.scenario.phases.batch;
  await side.resume();
  try {
    const work = async (): Promise<BlockFigures> => {
      await awaitReady(side, stop.signal);
      return await measureBlock({
        side,
        projectId,
        imageIds,
        threshold,
        timeoutMs,
        warmImages: Math.min(WARM_IMAGES, imageIds.length),
        signal: stop.signal,
      });
    };
    return await orStop(stop.signal, work());
  } catch (error) {
    throw await sideLost(side, error, stop.signal);
  } finally {
    await side.suspend();
  }
}
