import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { builtPages } from './built-pages.ts';

let dist = '';
beforeAll(async () => {
  dist = await builtPages();
});

describe('the scripts of the pages', () => {
  const assets = () => path.join(dist, 'assets');
  /** As a browser that takes gzip gets them; what is too small to be compressed is sent as it is. */
  const bytesOf = async (names: Iterable<string>) => {
    const sizes = await Promise.all(
      Array.from(names, (name) => stat(path.join(assets(), `${name}.gz`)).catch(() => stat(path.join(assets(), name)))),
    );
    return sizes.reduce((sum, { size }) => sum + size, 0);
  };
  /** A script and what it cannot do without. */
  async function needs(name: string, found = new Set<string>()): Promise<Set<string>> {
    if (found.has(name)) return found;
    found.add(name);
    const text = await readFile(path.join(assets(), name), 'utf8');
    for (const [, inner] of text.matchAll(/(?:import|from)\s*["']\.\/([\w.-]+\.js)["']/g)) await needs(inner!, found);
    return found;
  }

  it('are small: 60 kB for the operator’s page before its charts, 120 kB for all pages', async () => {
    const html = await readFile(path.join(dist, 'index.html'), 'utf8');
    const entry = /src="\.\/assets\/([\w.-]+\.js)"/.exec(html)![1]!;
    const all = (await readdir(assets())).filter((name) => name.endsWith('.js'));
    const first = await needs(
      all.find((name) => name.startsWith('OperatorPage-'))!,
      await needs(entry),
    );
    expect([...first].filter((name) => name.startsWith('plot-'))).toEqual([]);
    const used = all.filter((name) => !/^(naive|blocker)-/.test(name));
    expect(used.length).toBeGreaterThan(first.size);
    expect(await bytesOf(first)).toBeLessThan(60_000);
    expect(await bytesOf(used)).toBeLessThan(120_000);
  });

  it('are asked for by relative addresses, and no page has one that begins at the site’s root', async () => {
    const pages = await Promise.all(
      ['index', 'naive', 'blocker'].map((name) => readFile(path.join(dist, `${name}.html`), 'utf8')),
    );
    const addresses = pages.flatMap((html) =>
      [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, address]) => address),
    );
    expect(addresses.length).toBeGreaterThan(6);
    expect(addresses.filter((address) => !address!.startsWith('./assets/'))).toEqual([]);
  });
});
