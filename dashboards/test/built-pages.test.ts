import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { MOST_SCRIPT_BYTES, scriptSizes, scriptsTable } from '../../loadtest/src/measure/script-sizes.ts';
import { builtPages } from './built-pages.ts';

let dist = '';
beforeAll(async () => {
  dist = await builtPages();
});

describe('the scripts of the pages', () => {
  it('are small: 60 kB for the operator’s page before its charts and without the gallery, 120 kB for all pages', async () => {
    const sizes = await scriptSizes(dist);
    expect(sizes.first.length).toBeGreaterThan(2);
    expect(sizes.first.filter((name) => name.startsWith('plot-'))).toEqual([]);
    const shows = await Promise.all(
      sizes.first.map(async (name) =>
        (await readFile(path.join(dist, 'assets', name), 'utf8')).includes('data-gallery-grid'),
      ),
    );
    expect(sizes.first.filter((_, at) => shows[at])).toEqual([]);
    expect(sizes.all).toBeGreaterThan(sizes.operator);
    expect(MOST_SCRIPT_BYTES).toEqual({ operator: 60_000, all: 120_000 });
    expect(sizes.operator).toBeLessThan(MOST_SCRIPT_BYTES.operator);
    expect(sizes.all).toBeLessThan(MOST_SCRIPT_BYTES.all);
    expect(scriptsTable(sizes).rows.map(([, bytes]) => bytes)).toEqual([sizes.operator, sizes.all]);
  });

  it('are asked for by relative addresses, and no page has one that begins at the site’s root', async () => {
    const pages = await Promise.all(
      ['index', 'gallery', 'naive', 'blocker'].map((name) => readFile(path.join(dist, `${name}.html`), 'utf8')),
    );
    const addresses = pages.flatMap((html) =>
      [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address),
    );
    expect(addresses.length).toBeGreaterThan(6);
    expect(addresses.filter((address) => !address!.startsWith('./assets/'))).toEqual([]);
  });
});
