import { apiError } from '../errors.ts';

export type ListName = 'projects' | 'images' | 'batches' | 'keys' | 'audit';
/** Where a list stopped: the list and sort it was made for, the last row's value and its id. Opaque to clients. */
export interface Cursor {
  list: ListName;
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

/** @throws ApiError BAD_CURSOR when it is not one of this list, or of another sort. */
export function decodeCursor(text: string, list: ListName, sort: string): Cursor {
  const bad = () =>
    apiError(
      'BAD_CURSOR',
      `cursor ${JSON.stringify(text.slice(0, 40))} was not given out by the list of ${list} sorted by ${sort}: expected its nextCursor`,
    );
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (!Array.isArray(parts) || parts.length !== 4) throw bad();
    const [from, by, value, id] = parts as [unknown, unknown, unknown, unknown];
    if (from !== list || by !== sort || !VALUES[sort.replace('-', '')]?.(value) || typeof id !== 'string') throw bad();
    // A list sorted by its numbers needs no second value.
    if (!UUID.test(id) && !(id === '' && sort.endsWith('id'))) throw bad();
    return { list, sort, value: value as Cursor['value'], id };
  } catch {
    throw bad();
  }
}
