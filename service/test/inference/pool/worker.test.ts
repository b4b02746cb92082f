import { fork } from 'node:child_process';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createPool, POOL_DEFAULTS } from '../../../src/inference/pool/pool.ts';
import { createWorker, type WorkerOptions } from '../../../src/inference/pool/worker.ts';
import { until } from '../../batches/fixture.ts';

const CHILD = path.join(import.meta.dirname, 'ready-child.ts');
type Fork = WorkerOptions['fork'];

const started: Fork = () => fork(CHILD, [], { execArgv: [] });
const FAILING: [string, Fork, RegExp][] = [
  // as for EAGAIN and EMFILE, Node tells of it by an event alone
  ['by an event', () => fork(CHILD, [], { execPath: '/nowhere/node' }), /spawn \/nowhere\/node ENOENT/],
  [
    'by an exception',
    () => {
      throw new Error('spawn ENOMEM');
    },
    /spawn ENOMEM/,
  ],
];
const pools: ReturnType<typeof createPool>[] = [];
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));

/** A pool of one worker whose nth fork, from 1, is done so. */
function open(forkNth: (nth: number) => Fork) {
  let forks = 0;
  const worker = createWorker({
    id: 'w',
    modelDir: '/model/1',
    startTimeoutMs: 60_000,
    log() {},
    onChange: () => pool.changed(),
    fork: (dir) => forkNth(++forks)(dir),
  });
  const pool: ReturnType<typeof createPool> = createPool([worker], { ...POOL_DEFAULTS, timeoutMs: 20_000 });
  pools.push(pool);
  return { pool, worker, forks: () => forks };
}

describe.each(FAILING)('a fork that fails %s', (_, failing, message) => {
  it('is tried again', async () => {
    const { pool, worker, forks } = open((nth) => (nth === 1 ? failing : started));
    await pool.load();
    expect(forks()).toBe(2);
    expect(worker.stats()).toMatchObject({
      state: 'idle',
      restarts: 1,
      lastError: expect.stringMatching(message) as string,
    });
  });

  it('ends the load, naming the cause, when it fails each time', async () => {
    const { pool, forks } = open(() => failing);
    await expect(pool.load()).rejects.toThrow(message);
    expect(forks()).toBe(3);
  });

  it('is tried again where it was to replace a child, and takes no caller with it', async () => {
    const { pool, worker, forks } = open((nth) => (nth === 2 ? failing : started));
    await pool.load();
    await worker.recycle();
    await until(() => worker.ready());
    expect(forks()).toBe(3);
  });
});
