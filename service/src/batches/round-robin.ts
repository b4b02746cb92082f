/** A project with work: `waiting` jobs, served in proportion to `weight` (> 0). */
export interface Lane {
  id: string;
  waiting: number;
  weight: number;
}

/**
 * Shares `free` places among lanes in proportion to their weights. What a short lane leaves over goes to the others; as
 * long as there is room for all, every lane gets a place, so that a huge batch cannot starve a small one.
 * @returns places by lane id; their sum is min(free, all that wait)
 */
export function allocate(free: number, lanes: readonly Lane[]): Map<string, number> {
  const given = new Map(lanes.map((lane) => [lane.id, 0]));
  let left = Math.max(0, Math.floor(free));
  let open = lanes.filter((lane) => lane.waiting > 0);
  while (left > 0 && open.length > 0) {
    const weights = open.reduce((sum, lane) => sum + lane.weight, 0);
    const round = left;
    let empty = open.filter((lane) => given.get(lane.id) === 0).length;
    for (const lane of open) {
      if (given.get(lane.id) === 0) empty--;
      const share = Math.max(1, Math.floor((round * lane.weight) / weights));
      // Rounding up the light ones must not use up the place of a lane that has none yet.
      const room = Math.min(left, Math.max(1, left - empty));
      const take = Math.min(share, lane.waiting - given.get(lane.id)!, room);
      given.set(lane.id, given.get(lane.id)! + take);
      left -= take;
    }
    open = open.filter((lane) => given.get(lane.id)! < lane.waiting);
  }
  return given;
}

/** Merges queues so that each advances evenly: item k of n stands at (k + ½) / n. The order inside a queue is kept. */
export function interleave<T>(queues: readonly (readonly T[])[]): T[] {
  return queues
    .flatMap((queue, lane) => queue.map((item, index) => ({ item, lane, at: (index + 0.5) / queue.length })))
    .sort((a, b) => a.at - b.at || a.lane - b.lane)
    .map(({ item }) => item);
}
