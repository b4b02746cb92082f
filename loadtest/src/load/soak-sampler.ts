import { readdir } from 'node:fs/promises';
import { Redis } from 'ioredis';
import type { Sql } from 'postgres';
import { readProcess, descendants } from '../measure/proc.ts';
import type { LiveHeap } from './live-heap.ts';
import type { Point } from './slope.ts';

/** One thing that is watched over time: seconds since the start, and its value. */
export interface Series {
  name: string;
  /** What the budgets call it. Of a process: what is left after a full collection; what it has at any moment is `resident`. */
  kind: 'api' | 'relay' | 'worker' | 'inference' | 'resident' | 'queue' | 'cache' | 'database' | 'descriptors';
  points: Point[];
}

const descriptorsOf = (pid: number): Promise<number | null> =>
  readdir(`/proc/${pid}/fd`).then(
    (names) => names.length,
    () => null,
  );
const usedMemory = async (redis: Redis): Promise<number> =>
  Number(/used_memory_dataset:(\d+)/.exec(await redis.info('memory'))?.[1] ?? Number.NaN);

/**
 * Reads memory (resident, of no file) and descriptors of every process, what both Redis hold, and the size of the database. `settled`
 * collects garbage first: what a process has between collections says how long ago the last was.
 */
export function createSoakSampler(given: {
  roles: readonly { role: 'api' | 'relay' | 'worker'; pid: number }[];
  heaps: { measure(): Promise<LiveHeap[]> };
  queueRedisUrl: string;
  cacheRedisUrl: string;
  sql: Sql;
}) {
  const series = new Map<string, Series>();
  const queue = new Redis(given.queueRedisUrl, { maxRetriesPerRequest: 1 });
  const cache = new Redis(given.cacheRedisUrl, { maxRetriesPerRequest: 1 });
  const began = performance.now();

  function add(name: string, kind: Series['kind'], x: number, y: number | null): void {
    if (y === null || !Number.isFinite(y)) return;
    const one = series.get(name) ?? { name, kind, points: [] };
    series.set(name, one);
    one.points.push([x, y]);
  }
  const seconds = () => (performance.now() - began) / 1000;
  async function addProcess(name: string, pid: number, x: number): Promise<void> {
    const reading = readProcess(pid);
    const descriptors = await descriptorsOf(pid);
    if (!reading) return;
    add(name, 'resident', x, reading.anonymousBytes);
    add(`${name}, descriptors`, 'descriptors', x, descriptors);
  }
  return {
    async sample(): Promise<void> {
      const x = seconds();
      const processes = given.roles.map(async ({ role, pid }) => {
        await addProcess(role, pid, x);
        const children = role === 'worker' ? descendants(pid) : [];
        await Promise.all(children.map((child) => addProcess(`inference ${child}`, child, x)));
      });
      const [size] = await given.sql<{ bytes: number }[]>`SELECT pg_database_size(current_database())::float8 AS bytes`;
      add('database', 'database', x, size?.bytes ?? null);
      add('queue Redis', 'queue', x, await usedMemory(queue));
      add('cache Redis', 'cache', x, await usedMemory(cache));
      await Promise.all(processes);
    },
    /** Between batches, so that the same is in work each time: nothing. */
    async settled(): Promise<void> {
      const x = seconds();
      for (const { pid, bytes } of await given.heaps.measure()) {
        const kind = given.roles.find((one) => one.pid === pid)?.role ?? 'inference';
        const name = kind === 'inference' ? `inference ${pid}` : kind;
        add(`${name}, live heap`, kind, x, bytes);
        add(`${name}, after a collection`, kind, x, readProcess(pid)?.anonymousBytes ?? null);
      }
    },
    series: (): readonly Series[] => [...series.values()],
    close(): void {
      queue.disconnect();
      cache.disconnect();
    },
  };
}
