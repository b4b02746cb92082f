import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRunFolder } from '../../src/run/folder.ts';
import { EnvironmentLost, createStop, orStop } from '../../src/run/stop.ts';

describe('createRunFolder', () => {
  let out = '';
  beforeEach(async () => void (out = await mkdtemp(join(tmpdir(), 'segbench-test-'))));
  afterEach(() => rm(out, { recursive: true, force: true }));

  it('names a folder by time and scenario, and keeps two of the same second apart', async () => {
    const at = new Date('2026-01-02T03:04:05.678Z');
    const first = await createRunFolder(out, 'bulk-1000', at);
    const second = await createRunFolder(out, 'bulk-1000', at);
    first.event({ seq: 1 });
    await Promise.all([first.close(), second.close()]);
    expect(basename(first.path)).toBe('2026-01-02T03-04-05Z-bulk-1000');
    expect(second.path).not.toBe(first.path);
    expect(await readFile(join(first.path, 'events.ndjson'), 'utf8')).toBe('{"seq":1}\n');
  });
});

describe('orStop', () => {
  it('gives the first cause at once, whatever the work does', async () => {
    const stop = createStop();
    const never = orStop(stop.signal, new Promise(() => {}));
    stop.lost('PostgreSQL is gone');
    stop.interrupt('SIGINT');
    await expect(never).rejects.toThrow(EnvironmentLost);
    await expect(orStop(stop.signal, Promise.resolve(1))).rejects.toThrow('PostgreSQL is gone');
  });
});
