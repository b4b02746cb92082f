import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseWorkerOptions } from '../../src/cli/worker-options.ts';

const SERVERS = ['--database', 'postgres://db/x', '--queue', 'redis://q'];

describe('worker', () => {
  it('joins with three addresses, and the rest has defaults', () => {
    const { settings } = parseWorkerOptions([...SERVERS, '--storage', tmpdir(), '--workers', '3'], {});
    expect(settings).toEqual({
      DATABASE_URL: 'postgres://db/x',
      QUEUE_REDIS_URL: 'redis://q',
      CACHE_REDIS_URL: 'redis://q',
      DATA_DIR: tmpdir(),
      WORKERS: '3',
    });
  });

  it('takes from the environment what no flag says', () => {
    const env = {
      DATABASE_URL: 'postgres://env/x',
      CACHE_REDIS_URL: 'redis://cache',
      DATA_DIR: tmpdir(),
      WORKERS: '5',
    };
    const { settings } = parseWorkerOptions(['--queue', 'redis://q', '--pool', 'sim:x', '--prefix', 'mine'], env);
    expect(settings).toMatchObject({
      DATABASE_URL: 'postgres://env/x',
      CACHE_REDIS_URL: 'redis://cache',
      POOL: 'sim:x',
      QUEUE_PREFIX: 'mine',
      WORKERS: '5',
    });
  });

  it.each([
    [['--queue', 'redis://q', '--storage', tmpdir()], /--database is missing/],
    [['--database', 'postgres://x', '--storage', tmpdir()], /--queue is missing/],
    [SERVERS, /--storage is missing/],
    [[...SERVERS, '--storage', '/no/such/folder'], /--storage "\/no\/such\/folder" is not there/],
    [[...SERVERS, '--storage', tmpdir(), '--workers', '0'], /--workers "0".*from 1 to 256/],
    [[...SERVERS, '--storag', tmpdir()], /--storag/],
  ])('refuses %j', (args, message) => {
    expect(() => parseWorkerOptions(args, {})).toThrow(message);
  });
});
