/** A virtual clock and what is to happen on it. */
export interface Schedule {
  now(): number;
  /** @param ms from now on, not below 0 */
  after(ms: number, run: () => void): void;
  /** Happens in the order of time, at equal times in the order in which it was planned, until nothing is left. */
  runAll(): void;
}

/** A binary heap of happenings; times in ms. */
export function createSchedule(): Schedule {
  const times: number[] = [];
  const orders: number[] = [];
  const runs: (() => void)[] = [];
  let now = 0;
  let planned = 0;

  const before = (a: number, b: number): boolean =>
    times[a]! < times[b]! || (times[a] === times[b] && orders[a]! < orders[b]!);
  function swap(a: number, b: number): void {
    [times[a], times[b]] = [times[b]!, times[a]!];
    [orders[a], orders[b]] = [orders[b]!, orders[a]!];
    [runs[a], runs[b]] = [runs[b]!, runs[a]!];
  }
  function up(from: number): void {
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!before(at, parent)) return;
      swap(at, parent);
      at = parent;
    }
  }
  function down(): void {
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      if (left >= times.length) return;
      const least = left + 1 < times.length && before(left + 1, left) ? left + 1 : left;
      if (!before(least, at)) return;
      swap(least, at);
      at = least;
    }
  }
  return {
    now: () => now,
    after(ms, run) {
      if (!(ms >= 0)) throw new RangeError(`${ms} ms from now: expected a number from 0`);
      times.push(now + ms);
      orders.push(planned++);
      runs.push(run);
      up(times.length - 1);
    },
    runAll() {
      while (times.length > 0) {
        now = times[0]!;
        const run = runs[0]!;
        swap(0, times.length - 1);
        times.pop();
        orders.pop();
        runs.pop();
        down();
        run();
      }
    },
  };
}
