import { describe, expect, it } from 'vitest';
import { decodeCursor, encodeCursor } from '../../src/database/cursor.ts';

const id = '9d0b7dd8-36fc-4f3f-b754-d07564b2a4a6';
const time = (value: string) => encodeCursor({ list: 'projects', sort: 'createdAt', value, id });

describe('a cursor', () => {
  it('comes back as it was given out', () => {
    for (const value of ['2026-02-28T23:59:59.123456Z', '2024-02-29T00:00:00Z'])
      expect(decodeCursor(time(value), 'projects', 'createdAt')).toEqual({
        list: 'projects',
        sort: 'createdAt',
        value,
        id,
      });
  });
  it.each([
    '2026-02-31T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-04-31T00:00:00.5Z',
    '0000-01-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01',
  ])('with the time %s, which PostgreSQL would refuse or no list has, is refused', (value) => {
    expect(() => decodeCursor(time(value), 'projects', 'createdAt')).toThrow('was not given out by this list');
  });
});
