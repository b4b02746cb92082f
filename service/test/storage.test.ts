import { createHash } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStorage, type Storage } from '../src/storage.ts';

let dir: string;
let storage: Storage;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'segbench-storage-'));
  storage = createStorage(dir);
  await storage.open();
});
afterAll(() => rm(dir, { recursive: true, force: true }));

async function received(text: string) {
  const temporary = storage.temporaryPath();
  await writeFile(temporary, text);
  return { temporary, sha256: createHash('sha256').update(text).digest('hex') };
}

describe('createStorage', () => {
  it('keeps equal bytes once under their hash, together and later', async () => {
    const [one, two, other] = [await received('same'), await received('same'), await received('other')];
    await storage.commit([one, two, other]);
    await storage.commit([await received('same')]);
    expect(await readFile(storage.path(one.sha256), 'utf8')).toBe('same');
    expect(await readFile(storage.path(other.sha256), 'utf8')).toBe('other');
    expect(await readdir(storage.temporaryDir)).toEqual([]);
  });

  it('removes what a dead process left, and nothing younger', async () => {
    const [old, young] = [await received('old'), await received('young')];
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    await utimes(old.temporary, longAgo, longAgo);
    await storage.open();
    expect((await readdir(storage.temporaryDir)).map((name) => join(storage.temporaryDir, name))).toEqual([
      young.temporary,
    ]);
  });
});
