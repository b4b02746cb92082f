import { randomBytes } from 'node:crypto';
import { link, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = 'url-signing.key';
const KEY = /^[A-Za-z0-9_-]{43}$/;

/**
 * The keys that addresses are signed with: those of the setting, else one that the first process makes and all processes with
 * this folder share. It appears whole or not at all, because it is linked to its name only when it is written.
 */
export async function signingKeys(setting: string, dataDir: string): Promise<string[]> {
  if (setting !== '') return setting.split(',');
  const path = join(dataDir, NAME);
  const kept = await readFile(path, 'utf8').catch(() => null);
  if (kept !== null) return [checked(kept, path)];
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(randomBytes(32).toString('base64url'));
    await file.sync();
  } finally {
    await file.close();
  }
  await link(temporary, path).catch((error: NodeJS.ErrnoException) => {
    // Another process was first: its key is everybody's.
    if (error.code !== 'EEXIST') throw error;
  });
  await rm(temporary, { force: true });
  return [checked(await readFile(path, 'utf8'), path)];
}

function checked(text: string, path: string): string {
  if (!KEY.test(text))
    throw new Error(`${path} has ${text.length} characters: expected a key of 43; remove the file to have one made`);
  return text;
}
