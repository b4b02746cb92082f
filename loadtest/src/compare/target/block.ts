import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ProveScenario } from '../../../../scenarios/scenario.ts';
import { parallel } from '../../drivers/parallel.ts';
import type { ImageSet } from '../../images/image-set.ts';
import { createLagMeter, foreignShare, readMachineCpu } from '../../measure/noise.ts';
import { quantile } from '../../measure/statistics.ts';
import { pause } from '../../run/stop.ts';
import { TargetError } from '../../targets/target-error.ts';
import { isEnd, type TargetFile } from '../../targets/target.ts';
import { difference, total } from '../block.ts';
import type { BlockFigures } from '../contract.ts';
import { cpuByRole, isServer } from '../side/tree.ts';
import type { TargetSide, ToldEnd } from './side.ts';

const POLL_MS = 5;
/** A second copy of an end comes late. */
const COPIES_MS = 300;

export interface TargetBlockInput {
  side: TargetSide;
  images: ImageSet['images'];
  /** It makes the files of this block unlike those of any other, of any comparison. */
  block: string;
  /** Made for its files, and removed with them. */
  directory: string;
  limits: Pick<ProveScenario, 'upload' | 'batch' | 'follow'>;
  signal: AbortSignal;
}

/**
 * Uploads one block of images, starts them, follows them to the last end that is told, and says what that cost. The upload is no part of
 * the figures.
 */
export async function measureTargetBlock(input: TargetBlockInput): Promise<BlockFigures> {
  try {
    return await measure(input);
  } finally {
    // Not before: an adapter may read its files as late as it likes.
    await rm(input.directory, { recursive: true, force: true });
  }
}

async function measure(input: TargetBlockInput): Promise<BlockFigures> {
  const { side, limits, signal } = input;
  side.listen();
  const imageIds = await upload(input);
  const [machine, before] = await Promise.all([readMachineCpu(), side.tree()]);
  const lag = createLagMeter(10);
  const own = process.cpuUsage();
  const startedMs = performance.now();
  await side.target.start(imageIds, { threshold: limits.batch.threshold });
  await awaitEnds(side, imageIds, limits, signal);
  const [after, machineAfter] = await Promise.all([side.tree(), readMachineCpu()]);
  lag.stop();
  const harness = process.cpuUsage(own);
  await pause(COPIES_MS, signal);
  const used = difference(cpuByRole(before), cpuByRole(after));
  const ownSeconds = total(used, () => true) + (harness.user + harness.system) / 1e6;
  const isSeen = after.length > 0;
  return {
    ...figuresOf(side.ends(), imageIds, startedMs),
    cpuMsPerImage: isSeen ? (total(used, (role) => !isServer(role)) * 1000) / imageIds.length : null,
    cpuMsByRole: Object.fromEntries(
      Object.entries(used).map(([role, seconds]) => [role, (seconds * 1000) / imageIds.length]),
    ),
    // What runs beside the harness may be the target itself.
    foreignCpuShare: isSeen ? foreignShare(machine, machineAfter, ownSeconds) : null,
    generatorLagP99Ms: lag.p99Ms(),
  };
}

type Seen = Omit<BlockFigures, 'cpuMsPerImage' | 'cpuMsByRole' | 'foreignCpuShare' | 'generatorLagP99Ms'>;

/** What the told ends come to. @param startedMs `performance.now()` of the start */
export function figuresOf(
  ends: ReadonlyMap<string, readonly ToldEnd[]>,
  imageIds: readonly string[],
  startedMs: number,
): Seen {
  const told = imageIds.map((id) => ends.get(id) ?? []);
  const first = told.flatMap(([end]) => end ?? []);
  if (first.length === 0) throw new TargetError('not one end was told');
  const imageMs = first.map(({ atMs }) => atMs - startedMs);
  const durationMs = Math.max(...imageMs);
  const strangers = [...ends.keys()].filter((id) => !imageIds.includes(id)).length;
  return {
    imageP50Ms: quantile(imageMs, 0.5),
    imageP95Ms: quantile(imageMs, 0.95),
    batchMsPerImage: durationMs / imageIds.length,
    imagesPerSecond: (imageIds.length / durationMs) * 1000,
    eventsWrong: told.filter((all) => all.length !== 1).length + strangers,
    notCompleted: imageIds.length - first.filter(({ status }) => status === 'completed').length,
    durationMs,
    apiP50Ms: null,
    apiP95Ms: null,
    queriesPerImage: null,
    apiBytesPerImage: null,
    framesPerBatch: null,
    listenerWarnings: null,
    stageMs: {},
  };
}

/** The same pixels in every block, and no two files with the same bytes: a service that knows a file already has nothing to compute. */
export async function filesOf(images: ImageSet['images'], block: string, directory: string): Promise<TargetFile[]> {
  await mkdir(directory, { recursive: true });
  return await Promise.all(
    images.map(async ({ name: original, path: from, mimeType }) => {
      const name = `${block}-${original.replaceAll('/', '-')}`;
      const path = join(directory, name);
      // PNG, JPEG, TIFF and WebP end where they say so; what follows belongs to nobody.
      const bytes = new Uint8Array(Buffer.concat([await readFile(from), Buffer.from(`\n${block}\n`)]));
      await writeFile(path, bytes);
      return { name, path, mimeType, bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
    }),
  );
}

async function upload({ side, images, block, directory, limits, signal }: TargetBlockInput): Promise<string[]> {
  const files = await filesOf(images, block, directory);
  const { filesPerCall, concurrency } = limits.upload;
  const groups = Array.from({ length: Math.ceil(files.length / filesPerCall) }, (_, at) =>
    files.slice(at * filesPerCall, (at + 1) * filesPerCall),
  );
  const ids = new Map<string, string>();
  await parallel(
    groups,
    concurrency,
    async (group) => {
      for (const answer of await side.target.upload(group)) {
        if ('rejected' in answer) throw new TargetError(`${answer.name} was rejected: ${answer.rejected}`);
        ids.set(answer.name, answer.imageId);
      }
    },
    signal,
  );
  // The same order in each block, whatever order the answers came in.
  return files.map(({ name }) => ids.get(name)!);
}

/** Until each end was told; or what was not has ended for long, as the target says when it is asked. @throws TargetError when nothing moves */
async function awaitEnds(
  side: TargetSide,
  imageIds: readonly string[],
  { follow }: TargetBlockInput['limits'],
  signal: AbortSignal,
): Promise<void> {
  const endedAt = new Map<string, number>();
  let [askedAt, movedAt, seen] = [performance.now(), performance.now(), 0];
  for (;;) {
    const told = side.ends();
    const open = imageIds.filter((id) => !told.has(id));
    if (open.length === 0) return;
    const now = performance.now();
    const moved = imageIds.length - open.length + endedAt.size;
    if (moved > seen) [movedAt, seen] = [now, moved];
    if (open.every((id) => now - (endedAt.get(id) ?? now) >= follow.giveUpMs)) return;
    if (now - movedAt >= follow.stallMs)
      throw new TargetError(`${open.length} of ${imageIds.length} images have not ended, and nothing moves`);
    if (now - askedAt >= follow.askEveryMs) {
      askedAt = now;
      const unknown = open.filter((id) => !endedAt.has(id)).slice(0, follow.idsPerCall);
      for (const { imageId, status } of unknown.length > 0 ? await side.target.results(unknown) : [])
        if (isEnd(status)) endedAt.set(imageId, now);
    }
    await pause(POLL_MS, signal);
  }
}
