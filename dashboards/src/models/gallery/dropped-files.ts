import { fromFiles, fromFolder, together, type Chosen, type UploadFile } from './upload-files.ts';
import { WORDS } from '../../words/gallery.ts';

/** The parts of a dropped thing that are read here; tests bring their own. */
export interface DroppedEntry {
  isDirectory: boolean;
  fullPath: string;
}
interface DroppedFile extends DroppedEntry {
  file(done: (file: File) => void, failed: (cause: unknown) => void): void;
}
interface DroppedFolder extends DroppedEntry {
  createReader(): {
    readEntries(done: (entries: DroppedEntry[]) => void, failed: (cause: unknown) => void): void;
  };
}

/** Adds the files below an entry to `found`, those of folders in folders too. */
async function collect(entry: DroppedEntry, found: UploadFile[]): Promise<void> {
  if (!entry.isDirectory) {
    const file = await new Promise<File>((resolve, reject) => (entry as DroppedFile).file(resolve, reject));
    found.push({ file, path: entry.fullPath.replace(/^\//, '') });
    return;
  }
  const reader = (entry as DroppedFolder).createReader();
  for (;;) {
    // A hundred at a time, until none are left.
    const some = await new Promise<DroppedEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return;
    for (const each of some) await collect(each, found);
  }
}

/** Of entries that were dropped together: folders are looked through, single files are taken as they are. */
export async function readEntries(entries: readonly DroppedEntry[]): Promise<Chosen> {
  const parts = await Promise.all(
    entries.map(async (entry) => {
      try {
        const found: UploadFile[] = [];
        await collect(entry, found);
        return entry.isDirectory ? fromFolder(found) : { files: found, refused: [] };
      } catch {
        const name = entry.fullPath.replace(/^\//, '');
        return { files: [], refused: [{ name, code: 'UNREADABLE', message: WORDS.uploads.unreadable }] };
      }
    }),
  );
  return together(parts);
}

/** What was dropped on the page. The entries must be taken before the handler returns: after that the browser empties them. */
export function readDrop(transfer: DataTransfer): Promise<Chosen> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  const known = entries.filter((entry) => entry !== null);
  if (known.length === 0) return Promise.resolve(fromFiles(transfer.files));
  return readEntries(known as unknown as DroppedEntry[]);
}
