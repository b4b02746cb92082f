import { describe, expect, it } from 'vitest';
import { parseFileName } from '../../src/ingest/file-name.ts';

describe('parseFileName', () => {
  it.each([
    ['a.png', { name: 'a.png', relativePath: null }],
    ['./a.png', { name: 'a.png', relativePath: null }],
    ['plate/B02/a.png', { name: 'a.png', relativePath: 'plate/B02/a.png' }],
    ['plate\\B02\\a.png', { name: 'a.png', relativePath: 'plate/B02/a.png' }],
    ['a//b.png', { name: 'b.png', relativePath: 'a/b.png' }],
    ['..png', { name: '..png', relativePath: null }],
  ])('reads %s', (given, expected) => {
    expect(parseFileName(given)).toEqual(expected);
  });

  it.each([
    undefined,
    '',
    '/etc/a.png',
    'C:\\a.png',
    '../a.png',
    'a/../b.png',
    'a/',
    '.',
    'a\0.png',
    'a\n.png',
    `${'x'.repeat(300)}.png`,
    `${'a/'.repeat(600)}b`,
  ])('refuses %j with a reason', (given) => {
    expect(parseFileName(given)).toBeTypeOf('string');
  });
});
