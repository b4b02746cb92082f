import type { Rejection } from '#contract/images.ts';
import { WORDS } from '../../words/gallery.ts';

/** A file to send, and the path that the service is told. */
export interface UploadFile {
  file: File;
  /** Relative, `/` between its parts; the name alone where there is no folder. */
  path: string;
}
/** A file that is not in the project, and why; refused by the service or before it was sent. */
export interface Refusal {
  name: string;
  code: Rejection['code'] | (string & {});
  message: string;
}
export interface Chosen {
  files: UploadFile[];
  refused: Refusal[];
}

const FILES_A_REQUEST = 20;
const BYTES_A_REQUEST = 64e6;
const IMAGE_NAME = /\.(?:png|jpe?g|tiff?|webp)$/i;
/** What systems leave in folders: nobody chose these, so nothing is said of them. */
const LITTER = /^(?:\..*|thumbs\.db|desktop\.ini)$/i;

/** At most 20 files and 64 MB a request; a larger file goes alone. */
export function groupFiles<T extends { size: number }>(files: readonly T[]): T[][] {
  const groups: T[][] = [];
  let group: T[] = [];
  let bytes = 0;
  for (const file of files) {
    if (group.length === FILES_A_REQUEST || (group.length > 0 && bytes + file.size > BYTES_A_REQUEST)) {
      groups.push(group);
      group = [];
      bytes = 0;
    }
    group.push(file);
    bytes += file.size;
  }
  if (group.length > 0) groups.push(group);
  return groups;
}

/** Files chosen one by one: the service says what each is. */
export const fromFiles = (files: Iterable<File>): Chosen => ({
  files: [...files].map((file) => ({ file, path: file.webkitRelativePath || file.name })),
  refused: [],
});

/** The content of folders, in the order of their paths. What no image is by its name is refused here, not sent. */
export function fromFolder(found: Iterable<UploadFile>): Chosen {
  const files: UploadFile[] = [];
  const refused: Refusal[] = [];
  for (const each of found) {
    if (LITTER.test(each.file.name)) continue;
    if (IMAGE_NAME.test(each.file.name)) files.push(each);
    else
      refused.push({
        name: each.path,
        code: 'UNSUPPORTED_TYPE',
        message: WORDS.uploads.byName,
      });
  }
  const byPath = new Intl.Collator('en', { numeric: true });
  return { files: files.toSorted((a, b) => byPath.compare(a.path, b.path)), refused };
}

export function together(parts: readonly Chosen[]): Chosen {
  return { files: parts.flatMap(({ files }) => files), refused: parts.flatMap(({ refused }) => refused) };
}
