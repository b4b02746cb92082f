import { descendants, readProcess, type ProcReading } from './proc.ts';

export interface Root {
  role: string;
  pid: number;
  /** The role that a descendant counts under, by its command's name; without it they count under the root's. */
  childRole?: (command: string) => string;
  /** Counts the process alone, its descendants not. */
  alone?: boolean;
}
export interface ProcessUse {
  rssPeakBytes: number;
  cpuSeconds: number;
}
export interface CpuReading {
  atMs: number;
  byRole: Record<string, number>;
}

interface Known {
  role: string;
  reading: ProcReading;
}

/**
 * Samples resident memory and CPU time of process trees from `/proc` every `intervalMs`. CPU time of children that ended is
 * in their parent's `cutime`, so nothing is lost when an inference child is replaced.
 */
export function createProcessSampler(options: { intervalMs?: number; now?: () => number } = {}) {
  const { intervalMs = 200, now = Date.now } = options;
  const roots: Root[] = [];
  const known = new Map<number, Known>();
  const series: { atMs: number; role: string; pid: number; rssBytes: number }[] = [];
  let timer: NodeJS.Timeout | undefined;

  function readRoot({ role: rootRole, pid: rootPid, childRole, alone }: Root, atMs: number): void {
    for (const pid of [rootPid, ...(alone ? [] : descendants(rootPid))]) {
      const reading = readProcess(pid);
      if (!reading) continue;
      const role = pid === rootPid ? rootRole : (childRole?.(reading.command) ?? rootRole);
      known.set(pid, { role, reading });
      series.push({ atMs, role, pid, rssBytes: reading.rssBytes });
    }
  }

  function sample(): void {
    const atMs = now();
    for (const root of roots) readRoot(root, atMs);
  }

  return {
    watch(root: Root): void {
      roots.push(root);
    },
    start(): void {
      timer = setInterval(sample, intervalMs);
    },
    stop(): void {
      clearInterval(timer);
    },
    sample,
    /** CPU seconds used so far by each role, all its processes together, dead children included. */
    cpu(): CpuReading {
      sample();
      const byRole: Record<string, number> = {};
      const rootPids = new Set(roots.map(({ pid }) => pid));
      for (const [pid, { role, reading }] of known) {
        const own = readProcess(pid) !== null || rootPids.has(pid);
        // What a dead child used is in its parent's reaped time.
        if (!own) continue;
        byRole[role] = (byRole[role] ?? 0) + reading.cpuSeconds + reading.reapedCpuSeconds;
      }
      return { atMs: now(), byRole };
    },
    /** Resident bytes of each process of a role at the latest sample, by pid. */
    latest(role: string): Map<number, number> {
      return new Map(
        [...known].filter(([, one]) => one.role === role).map(([pid, one]) => [pid, one.reading.rssBytes]),
      );
    },
    /** How far the process of the role that grew most rose above its `start`, over all samples since. */
    growthSince(role: string, start: ReadonlyMap<number, number>, fromMs: number): number {
      let most = 0;
      for (const point of series) {
        if (point.role !== role || point.atMs < fromMs) continue;
        most = Math.max(most, point.rssBytes - (start.get(point.pid) ?? 0));
      }
      return most;
    },
    /** Per role: the kernel's high-water mark of its largest process, and CPU seconds of all. */
    summary(): Record<string, ProcessUse> {
      const { byRole } = this.cpu();
      const uses: Record<string, ProcessUse> = {};
      for (const { role, reading } of known.values()) {
        const use = (uses[role] ??= { rssPeakBytes: 0, cpuSeconds: byRole[role] ?? 0 });
        use.rssPeakBytes = Math.max(use.rssPeakBytes, reading.peakRssBytes);
      }
      return uses;
    },
    series: () => series,
  };
}
export type ProcessSampler = ReturnType<typeof createProcessSampler>;

/** CPU seconds that all roles of `roles` used between two readings. */
export function cpuBetween(before: CpuReading, after: CpuReading, roles: readonly string[]): number {
  return roles.reduce((sum, role) => sum + (after.byRole[role] ?? 0) - (before.byRole[role] ?? 0), 0);
}
