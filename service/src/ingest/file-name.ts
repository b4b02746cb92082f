export interface FileName {
  name: string;
  /** The whole path, when there was more than the name; always relative, `/` between its parts. */
  relativePath: string | null;
}

const MAX_PATH = 1024;
const MAX_PART = 255;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f]/;

/**
 * A part's file name as the client gave it, which may carry a path.
 * @returns the parts to store, or a text that says why the name is refused: nothing is repaired silently.
 */
export function parseFileName(given: string | undefined): FileName | string {
  if (given === undefined || given === '') return 'the file has no name';
  if (given.length > MAX_PATH) return `the path has ${given.length} characters: at most ${MAX_PATH} are allowed`;
  if (CONTROL.test(given)) return 'the name contains control characters';
  const path = given.replaceAll('\\', '/');
  if (path.startsWith('/') || /^[a-z]:/i.test(path)) return 'the path is absolute: expected a relative one';
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) return 'the path leaves its folder (..)';
  const name = parts.at(-1);
  if (name === undefined || path.endsWith('/')) return 'the path names a folder, not a file';
  const long = parts.find((part) => Buffer.byteLength(part) > MAX_PART);
  if (long !== undefined) return `a part of the path has over ${MAX_PART} bytes`;
  return { name, relativePath: parts.length > 1 ? parts.join('/') : null };
}
