/** Milliseconds since the lap before: by the clock, and of CPU in all threads of this process. */
export interface Lap {
  wallMs: number;
  cpuMs: number;
}

export function createStopwatch() {
  let at = performance.now();
  let cpu = process.cpuUsage();
  return {
    lap(): Lap {
      const now = performance.now();
      const { user, system } = process.cpuUsage(cpu);
      const lap = { wallMs: now - at, cpuMs: (user + system) / 1000 };
      at = now;
      cpu = process.cpuUsage();
      return lap;
    },
  };
}
export type Stopwatch = ReturnType<typeof createStopwatch>;

export const addLaps = (a: Lap, b: Lap): Lap => ({ wallMs: a.wallMs + b.wallMs, cpuMs: a.cpuMs + b.cpuMs });
