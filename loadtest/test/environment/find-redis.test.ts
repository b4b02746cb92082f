import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findRedis } from '../../src/environment/find-redis.ts';
import { onPath } from '../../src/environment/processes.ts';
import { unpackedRedis } from '../../src/environment/redis-unpack.ts';
import { writeProgram } from '../program.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'redis-test-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const program = (name: string, script: string) => writeProgram(dir, name, script);
const options = (env: NodeJS.ProcessEnv) => ({ env, log: () => {} });

/** Downloads 1.5 MB; a machine with Redis installed never takes this way, and one without apt cannot. */
const needsUnpacking = onPath('apt-get') !== undefined && onPath('redis-server') === undefined;

describe('findRedis', () => {
  it('takes the one on PATH when it runs', async () => {
    await program('redis-server', 'echo "Redis server v=9.8.7 sha=0"');
    const found = await findRedis(options({ PATH: dir }));
    expect(found).toMatchObject({ source: 'path', version: '9.8.7', command: join(dir, 'redis-server') });
  });

  it('names every way and what to install when there is none', async () => {
    const failing = findRedis(options({ PATH: dir, HOME: dir }));
    await expect(failing).rejects.toThrow(
      /^no Redis: no redis-server on PATH; no apt-get, .*; no docker\. What helps: install Redis .*apt-get install redis-server/,
    );
  });

  it('says that Docker does not answer when only a dead one is there', async () => {
    await program('docker', 'echo "Cannot connect to the Docker daemon" >&2; exit 1');
    await expect(findRedis(options({ PATH: dir, HOME: dir }))).rejects.toThrow(
      'docker does not answer (Cannot connect to the Docker daemon)',
    );
  });
});

describe('unpackedRedis', () => {
  it.skipIf(!needsUnpacking)('unpacks the distribution’s packages once when Redis is not installed', async () => {
    const env = { ...process.env, XDG_CACHE_HOME: dir };
    const lines: string[] = [];
    const unpack = () => unpackedRedis({ env, log: (line) => lines.push(line) });
    const first = await unpack();
    expect(first).toMatchObject({ source: 'packages', command: expect.stringContaining(dir) as string });
    expect(await unpack()).toMatchObject({ source: 'packages' });
    expect(lines.filter((line) => line.startsWith('unpacking'))).toHaveLength(1);
    expect(await readdir(join(dir, 'segbench'))).toEqual([expect.stringMatching(/^redis-\d/)]);
  });

  it('leaves nothing in the cache when apt knows no such package', async () => {
    for (const name of ['apt-get', 'apt-cache', 'dpkg', 'dpkg-query']) await program(name, 'exit 100');
    const reason = await unpackedRedis(options({ PATH: dir, XDG_CACHE_HOME: join(dir, 'cache') }));
    expect(reason).toContain('apt knows no package redis-server');
    expect(await readdir(join(dir, 'cache/segbench'))).toEqual([]);
  });
});
