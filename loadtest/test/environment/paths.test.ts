import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheDir, reachableBy } from '../../src/environment/paths.ts';
import { reachableBinaries } from '../../src/environment/postgres-owner.ts';

const STRANGER = { uid: 64_321, gid: 64_321 };
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'paths-test-'));
  await chmod(dir, 0o755);
  await mkdir(join(dir, 'native/bin'), { recursive: true, mode: 0o755 });
  await writeFile(join(dir, 'native/bin/postgres'), '');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe('reachableBy', () => {
  it('is true when all folders above are open', () => {
    expect(reachableBy(join(dir, 'native'), STRANGER)).toBe(true);
  });

  it('is false when one folder above is shut', async () => {
    await chmod(dir, 0o700);
    expect(reachableBy(join(dir, 'native'), STRANGER)).toBe(false);
  });

  it('is true for the owner of a shut folder', async () => {
    await chmod(dir, 0o700);
    expect(reachableBy(join(dir, 'native'), { uid: process.getuid?.() ?? 0, gid: 0 })).toBe(true);
  });
});

describe('reachableBinaries', () => {
  it('uses them in place when the account can reach them', async () => {
    expect(await reachableBinaries(join(dir, 'native'), dir, STRANGER)).toBe(join(dir, 'native'));
  });

  it('copies them to the private folder when the account cannot', async () => {
    await chmod(join(dir, 'native'), 0o700);
    const copy = await reachableBinaries(join(dir, 'native'), join(dir, 'run'), STRANGER);
    expect(copy).toBe(join(dir, 'run/postgres-binaries'));
  });
});

describe('cacheDir', () => {
  it('follows XDG_CACHE_HOME, else the home folder', () => {
    expect(cacheDir({ XDG_CACHE_HOME: '/x' })).toBe('/x/segbench');
    expect(cacheDir({ HOME: dir })).toBe(join(dir, '.cache/segbench'));
  });

  it('takes a folder of the user’s own when the home folder is missing', () => {
    expect(cacheDir({ HOME: join(dir, 'absent') })).toMatch(/segbench-cache-\d+$/);
  });
});
