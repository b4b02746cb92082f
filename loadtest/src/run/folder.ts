import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';

/** `2026-11-22T21-46-21Z-bulk-1000`: sorts by time, and is a name on every file system. */
export const runFolderName = (startedAt: Date, scenario: string): string =>
  `${startedAt
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-')}-${scenario}`;

/** Makes the run's folder under `out`; `latest` points at it once its artefacts are written. */
export async function createRunFolder(
  out: string,
  scenario: string,
  startedAt: Date,
  onWriteError: (error: Error) => void = () => {},
) {
  await mkdir(out, { recursive: true });
  let path = '';
  // Two runs may start in the same second.
  for (let attempt = 1; path === ''; attempt++) {
    const candidate = join(out, runFolderName(startedAt, scenario) + (attempt > 1 ? `-${attempt}` : ''));
    try {
      await mkdir(candidate);
      path = candidate;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  await mkdir(join(path, 'raw'));
  const events = createWriteStream(join(path, 'events.ndjson'));
  // A full disk must end the run with its cause, not with an unhandled event.
  events.on('error', onWriteError);
  return {
    path,
    event(record: object): void {
      if (events.writable) events.write(`${JSON.stringify(record)}\n`);
    },
    json: (name: string, value: unknown): Promise<void> =>
      writeFile(join(path, name), `${JSON.stringify(value, null, 2)}\n`),
    text: (name: string, value: string): Promise<void> => writeFile(join(path, name), value),
    ndjson: (name: string, rows: readonly object[]): Promise<void> =>
      writeFile(join(path, name), rows.map((row) => `${JSON.stringify(row)}\n`).join('')),
    async close(): Promise<void> {
      events.end();
      await finished(events).catch(() => {});
    },
  };
}
export type RunFolder = Awaited<ReturnType<typeof createRunFolder>>;
