import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDataDir } from '../../src/environment/data-lock.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lock-test-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));
const silent = () => {};

describe('lockDataDir', () => {
  it('leaves no file when it is given back', async () => {
    const unlock = await lockDataDir(dir, silent);
    expect(await readdir(dir)).toEqual(['lock']);
    await unlock();
    expect(await readdir(dir)).toEqual([]);
  });

  it('says who holds the folder when it is taken', async () => {
    const unlock = await lockDataDir(dir, silent);
    await expect(lockDataDir(dir, silent, 0)).rejects.toThrow(`${dir} is in use by process ${process.ppid} (since 2`);
    await unlock();
  });

  it.each(['', '\0\0\0\0', '{"pid":'])('takes over a lock that a loss of power left as %j', async (left) => {
    await writeFile(join(dir, 'lock'), left);
    const unlock = await lockDataDir(dir, silent);
    expect(JSON.parse(await readFile(join(dir, 'lock'), 'utf8'))).toMatchObject({ pid: process.pid });
    await unlock();
  });

  it('waits for a holder that is just ending', async () => {
    const unlock = await lockDataDir(dir, silent);
    const lines: string[] = [];
    const next = lockDataDir(dir, (line) => {
      lines.push(line);
      void unlock();
    });
    await (
      await next
    )();
    expect(lines).toEqual([`waiting for process ${process.ppid}, which uses ${dir}, to stop`]);
  });

  it('takes the folder over when its holder is dead', async () => {
    const dead = { pid: 2 ** 22 + 1, supervisorPid: 2 ** 22 + 2, since: '2020-01-01T00:00:00.000Z' };
    await writeFile(join(dir, 'lock'), JSON.stringify(dead));
    const unlock = await lockDataDir(dir, silent);
    expect(JSON.parse(await readFile(join(dir, 'lock'), 'utf8'))).toMatchObject({ supervisorPid: process.ppid });
    await unlock();
  });

  it('takes the folder over when another process got the holder’s id', async () => {
    const reused = { pid: process.pid, ticks: '1', supervisorPid: process.pid, since: '2020-01-01T00:00:00.000Z' };
    await writeFile(join(dir, 'lock'), JSON.stringify(reused));
    const unlock = await lockDataDir(dir, silent);
    expect(JSON.parse(await readFile(join(dir, 'lock'), 'utf8'))).toMatchObject({ supervisorPid: process.ppid });
    await unlock();
  });
});
