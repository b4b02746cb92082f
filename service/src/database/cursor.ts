import { apiError } from '../errors.ts';

/** Where a list stopped: which list, the sort it was made for, the last row's value and its id. Opaque to clients. */
export interface Cursor {
  /** `projects`, or with what the list is of: `images/<project id>`. */
  list: string;
  sort: string;
  value: string | number | null;
  id: string;
}

export const encodeCursor = (cursor: Cursor): string =>
  Buffer.from(JSON.stringify([cursor.list, cursor.sort, cursor.value, cursor.id])).toString('base64url');

export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/;
/** A day of the calendar: JavaScript takes 31 February for 3 March and has a year 0; PostgreSQL refuses both. */
function isTime(text: string): boolean {
  const at = TIME.test(text) ? Date.parse(text) : NaN;
  return !Number.isNaN(at) && !text.startsWith('0000') && new Date(at).toISOString().slice(0, 19) === text.slice(0, 19);
}
const INT4_MAX = 2 ** 31 - 1;
const isWhole = (value: unknown, max: number) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= max;

/** By what is sorted by: the values that PostgreSQL compares without an error. */
const VALUES: Record<string, (value: unknown) => boolean> = {
  name: (value) => typeof value === 'string' && !value.includes('\0'),
  createdAt: (value) => typeof value === 'string' && isTime(value),
  polygonCount: (value) => value === null || isWhole(value, INT4_MAX),
  id: (value) => isWhole(value, Number.MAX_SAFE_INTEGER),
};

/** @throws ApiError BAD_CURSOR when it is one of another list, or of another sort, or none. */
export function decodeCursor(text: string, list: string, sort: string): Cursor {
  const bad = () =>
    apiError(
      'BAD_CURSOR',
      `cursor ${JSON.stringify(text.slice(0, 40))} was not given out by this list sorted by ${sort}: expected its nextCursor`,
    );
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (!Array.isArray(parts) || parts.length !== 4) throw bad();
    const [from, of, value, id] = parts as unknown[];
    if (from !== list || of !== sort || !VALUES[sort.replace('-', '')]?.(value) || typeof id !== 'string') throw bad();
    // A list sorted by its numbers needs no second value.
    if (!UUID.test(id) && !(id === '' && sort.endsWith('id'))) throw bad();
    return { list, sort, value: value as Cursor['value'], id };
  } catch {
    throw bad();
  }
}
