import fc from 'fast-check';
import { posix, win32 } from 'node:path';
import { describe, expect, it } from 'vitest';
import { uniqueStems } from '../../src/exports/archives.ts';
import { refuseUnsafeName, safeEntryName } from '../../src/exports/entry-name.ts';
import type { ExportRow } from '../../src/exports/cells.ts';

const row = (path: string, imageId = 'id'): ExportRow => ({
  imageId,
  name: path,
  relativePath: null,
  width: 1,
  height: 1,
  status: 'completed',
  result: null,
});

describe('names in archives', () => {
  it.each([
    ['a/b.png', 'a/b.png'],
    ['Größe µm/细胞 1.png', 'Größe µm/细胞 1.png'],
    ['../../etc/passwd', '__/__/etc/passwd'],
    ['..', '__'],
    ['...', '___'],
    ['.. /a', '___/a'],
    ['/etc/passwd', 'etc/passwd'],
    ['a\\..\\b', 'a/__/b'],
    ['C:/windows', 'C_/windows'],
    ['a.txt:stream', 'a.txt_stream'],
    ['con', '_con'],
    ['LPT1.png', '_LPT1.png'],
    ['a\u202egnp.exe', 'a_gnp.exe'],
    ['a\nb\0c', 'a_b_c'],
    ['', '_'],
  ])('%j becomes %j', (given, expected) => {
    expect(safeEntryName(given)).toBe(expected);
  });

  it('stay below their folder on every system, whatever they were, and stay what they are when they are safe', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            '..',
            '.',
            '/',
            '\\',
            ' ',
            'C:',
            'nul',
            '\0',
            'a',
            '.png',
            '~',
            '細',
            '\ud83d\ude00',
            'x'.repeat(120),
          ),
          {
            maxLength: 12,
          },
        ),
        (pieces) => {
          const name = safeEntryName(pieces.join(''));
          refuseUnsafeName(name);
          for (const system of [posix, win32]) {
            expect(system.isAbsolute(name)).toBe(false);
            expect(system.normalize(name).split(/[/\\]/)).not.toContain('..');
          }
          expect(Math.max(...name.split('/').map((part) => Buffer.byteLength(part)))).toBeLessThanOrEqual(210);
          expect(safeEntryName(name)).toBe(name);
        },
      ),
      { numRuns: 2000 },
    );
  });

  // The stem of `...` was `..`, and a cell of it `../0001.roi`.
  it.each(['...', '...png', '..​.', '. ..png', 'a/...', '..../x', '.. .png'])('a stem of %j leaves nothing', (name) => {
    const stem = uniqueStems()(row(name));
    for (const entry of [`${stem}/0001.roi`, `${stem}.tif`]) {
      refuseUnsafeName(entry);
      expect(entry.split('/')).not.toContain('..');
    }
  });

  it('stay different where only what is special in them differed', () => {
    const stemOf = uniqueStems();
    const stems = ['a:b.png', 'a?b.png', 'A_B.png'].map((name, at) => stemOf(row(name, `id${at}`)));
    expect(stems).toEqual(['a_b', 'a_b~id1', 'A_B~id2']);
  });

  it.each(['../a', 'a/../b', '/a', 'a//b', 'C:a', 'a\\b', '...', 'a\0'])('an archive refuses to hold %j', (name) => {
    expect(() => refuseUnsafeName(name)).toThrow('plain path');
  });
});
