import { apiError } from '../errors.ts';

/** Where a list stopped: the sort it was made for, the last row's value and its id. Opaque to clients. */
export interface Cursor {
  sort: string;
  value: string | number | null;
  id: string;
}

export const encodeCursor = (cursor: Cursor): string =>
  Buffer.from(JSON.stringify([cursor.sort, cursor.value, cursor.id])).toString('base64url');

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws ApiError BAD_CURSOR when it is not one of this list, or of another sort. */
export function decodeCursor(text: string, sort: string): Cursor {
  const bad = () =>
    apiError(
      'BAD_CURSOR',
      `cursor ${JSON.stringify(text.slice(0, 40))} was not given out by this list sorted by ${sort}`,
    );
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    if (!Array.isArray(parts) || parts.length !== 3) throw bad();
    const [of, value, id] = parts as [unknown, unknown, unknown];
    const plain = value === null || typeof value === 'string' || typeof value === 'number';
    if (of !== sort || !plain || typeof id !== 'string' || !UUID.test(id)) throw bad();
    return { sort, value, id };
  } catch {
    throw bad();
  }
}
