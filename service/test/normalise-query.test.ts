import { describe, expect, it } from 'vitest';
import { normaliseQuery } from '../src/normalise-query.ts';

describe('normaliseQuery', () => {
  it.each([
    ["select *  from t1\n where name = 'O''Hara' and id = 5", 'select * from t1 where name = ? and id = ?'],
    ['select pg_sleep(0.06)', 'select pg_sleep(?)'],
    ['select $1, $12 limit 10', 'select $1, $12 limit ?'],
    [`select "2nd" from a.b2 where x > -1.5e3`, 'select "2nd" from a.b2 where x > -?'],
    [String.raw`select E'it\'s secret', 'x'`, 'select ?, ?'],
    ['select 1 -- secret\n, 2 /* also secret */', 'select ? , ?'],
    ['do $body$ secret $body$', 'do ?'],
    [`select ${'x'.repeat(900)}`, `select ${'x'.repeat(493)}`],
  ])('keeps the shape of %s and no value', (text, shape) => {
    expect(normaliseQuery(text)).toBe(shape);
  });
});
