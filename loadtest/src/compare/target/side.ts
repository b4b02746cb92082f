import { guardTarget } from '../../targets/guard.ts';
import { loadTarget } from '../../targets/load-target.ts';
import { isEnd, type Target, type TargetAbout } from '../../targets/target.ts';
import type { Stop } from '../../run/stop.ts';
import type { SideInfo } from '../contract.ts';
import { readTree, type KnownRoles, type TreeProcess } from '../side/tree.ts';

/** An end that was told. */
export interface ToldEnd {
  /** `performance.now()` of its arrival. */
  atMs: number;
  status: 'completed' | 'failed';
}

/** One of the two services of a comparison by adapters, which runs already and goes on after it. */
export interface TargetSide {
  info: SideInfo;
  about: TargetAbout;
  target: Required<Target>;
  /** Ends told since the last `listen`, by image, each as often as it came. */
  ends: () => ReadonlyMap<string, readonly ToldEnd[]>;
  /** Forgets the ends of the block before. */
  listen: () => void;
  /** Its processes here; empty where the adapter names none. */
  tree: () => Promise<TreeProcess[]>;
}

export interface TargetSideOptions {
  side: SideInfo['name'];
  /** The adapter's file. */
  path: string;
  /** Images of the whole comparison. */
  images: number;
  stop: Stop;
  log: (line: string) => void;
}

/** Loads the adapter and opens its line of events. @throws UsageError for what is no adapter, TargetError for a service that does not answer */
export async function openTargetSide({ side, path, images, stop, log }: TargetSideOptions): Promise<TargetSide> {
  const target = guardTarget(await loadTarget(path), {
    name: path,
    signal: stop.signal,
    onBroken: (error) => stop.lost(error.message),
    mostEvents: 10_000 + 100 * images,
  });
  const about = await target.open({
    images,
    signal: stop.signal,
    log: (line) => log(`${side}: ${line}`),
    through: (url) => Promise.resolve(url),
  });
  const known: KnownRoles = new Map();
  let ends = new Map<string, ToldEnd[]>();
  await target.events(({ imageId, status }) => {
    if (!isEnd(status)) return;
    const told = ends.get(imageId) ?? [];
    told.push({ atMs: performance.now(), status });
    ends.set(imageId, told);
  });
  return {
    info: { name: side, ref: path, commit: about.version ?? '' },
    about,
    target,
    ends: () => ends,
    listen: () => (ends = new Map()),
    async tree() {
      const all = await Promise.all((await target.processes()).map((pid) => readTree(pid, known)));
      return all.flat();
    },
  };
}
