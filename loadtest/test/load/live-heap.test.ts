import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createLiveHeaps, INSPECTED } from '../../src/load/live-heap.ts';

const MB = 1e6;
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

/** A process that keeps `kept` and drops `dropped` bytes at each message. */
function startKeeper(heaps: ReturnType<typeof createLiveHeaps>) {
  const child = fork(join(import.meta.dirname, 'keeper-of-garbage.ts'), [], {
    execArgv: [],
    env: { ...process.env, ...INSPECTED },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  children.push(child);
  const heard: [string, boolean][] = [];
  createInterface({ input: child.stderr! }).on('line', (line) => heard.push([line, heaps.heard(`api: ${line}`)]));
  const next = () => new Promise((resolve) => child.once('message', resolve));
  return {
    child,
    heard,
    ready: next(),
    async tell(kept: number, dropped: number) {
      const answer = next();
      child.send({ kept, dropped });
      await answer;
    },
  };
}

describe('what lives in a heap', () => {
  it('counts what is kept, in objects and in buffers, and not what was dropped', async () => {
    const heaps = createLiveHeaps();
    const keeper = startKeeper(heaps);
    await keeper.ready;
    const [before] = await heaps.measure();
    expect(before?.pid).toBe(keeper.child.pid);
    await keeper.tell(0, 40 * MB);
    const [dropped] = await heaps.measure();
    expect(Math.abs(dropped!.bytes - before!.bytes)).toBeLessThan(2 * MB);
    await keeper.tell(20 * MB, 40 * MB);
    const [kept] = await heaps.measure();
    expect(kept!.bytes - before!.bytes).toBeGreaterThan(18 * MB);
    expect(kept!.bytes - before!.bytes).toBeLessThan(24 * MB);
    heaps.close();
  });

  it('keeps to itself what an inspector prints, and nothing else', async () => {
    const heaps = createLiveHeaps();
    const keeper = startKeeper(heaps);
    await keeper.ready;
    await heaps.measure();
    heaps.close();
    expect(keeper.heard.length).toBeGreaterThan(1);
    expect(keeper.heard.filter(([, taken]) => !taken)).toEqual([]);
    expect(heaps.heard('api: a warning')).toBe(false);
  });

  it('forgets a process that ended', async () => {
    const heaps = createLiveHeaps();
    const keeper = startKeeper(heaps);
    await keeper.ready;
    expect(await heaps.measure()).toHaveLength(1);
    const gone = new Promise((resolve) => keeper.child.once('exit', resolve));
    keeper.child.kill('SIGKILL');
    await gone;
    expect(await heaps.measure()).toEqual([]);
    heaps.close();
  });
});
