import { describe, expect, it } from 'vitest';
import { isNotModified, isRangeCurrent, parseRange } from '../../src/results/range.ts';

describe('parseRange', () => {
  it.each([
    ['bytes=0-0', { start: 0, end: 0 }],
    ['bytes=0-999', { start: 0, end: 999 }],
    ['bytes=500-', { start: 500, end: 999 }],
    ['bytes=999-', { start: 999, end: 999 }],
    ['bytes=500-5000', { start: 500, end: 999 }],
    ['bytes=-1', { start: 999, end: 999 }],
    ['bytes=-1000', { start: 0, end: 999 }],
    ['bytes=-5000', { start: 0, end: 999 }],
    ['bytes=-99999999999999999999999', { start: 0, end: 999 }],
    ['BYTES=1-2', { start: 1, end: 2 }],
    ['bytes=1000-', 'unsatisfiable'],
    ['bytes=99999999999999999999999-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=5-2', null],
    ['bytes=abc', null],
    ['bytes=', null],
    ['bytes=-', null],
    ['bytes=1-2,5-6', null],
    ['items=0-5', null],
    ['0-5', null],
    [undefined, null],
  ] as const)('reads %s', (header, expected) => {
    expect(parseRange(header, 1000)).toEqual(expected);
  });

  it('finds nothing in an empty file, whose end it is all the same', () => {
    expect(parseRange('bytes=0-', 0)).toBe('unsatisfiable');
    expect(parseRange('bytes=-0', 0)).toBe('unsatisfiable');
    expect(parseRange('bytes=-5', 0)).toBeNull();
  });
});

describe('preconditions', () => {
  const date = 'Sun, 22 Nov 2026 10:00:00 GMT';
  it('takes a range for the same tag or date only', () => {
    expect(isRangeCurrent(undefined, '"a"', date)).toBe(true);
    expect(isRangeCurrent('"a"', '"a"', date)).toBe(true);
    expect(isRangeCurrent(date, '"a"', date)).toBe(true);
    expect(isRangeCurrent('Sunday, 22-Nov-26 10:00:00 GMT', '"a"', date)).toBe(true);
    expect(isRangeCurrent('2026-11-22T10:00:00Z', '"a"', date)).toBe(false);
    expect(isRangeCurrent('"b"', '"a"', date)).toBe(false);
    expect(isRangeCurrent('W/"a"', '"a"', date)).toBe(false);
    expect(isRangeCurrent('Sun, 22 Nov 2026 11:00:00 GMT', '"a"', date)).toBe(false);
  });
  it('knows what the client has, and believes tags before dates', () => {
    expect(isNotModified({ 'if-none-match': '"x", W/"a"' }, '"a"', date)).toBe(true);
    expect(isNotModified({ 'if-none-match': '*' }, '"a"', date)).toBe(true);
    expect(isNotModified({ 'if-none-match': '"x"', 'if-modified-since': date }, '"a"', date)).toBe(false);
    expect(isNotModified({ 'if-modified-since': date }, '"a"', date)).toBe(true);
    expect(isNotModified({}, '"a"', date)).toBe(false);
  });
});
