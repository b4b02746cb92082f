import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../environment/paths.ts';
import type { ReportTable } from '../contract.ts';

/** What a build of the pages must stay below, bytes. */
export const MOST_SCRIPT_BYTES = { operator: 60_000, all: 120_000 };

export interface ScriptSizes {
  /** Of the operator's page before its charts, and of all pages but those of tests and of the negative control. */
  operator: number;
  all: number;
  /** Names of the operator's scripts. */
  first: string[];
}

/** Bytes of the built scripts as a browser that takes gzip gets them: what is too small to be compressed is sent as it is. */
export async function scriptSizes(dist = join(projectRoot, 'dashboards/dist')): Promise<ScriptSizes> {
  const assets = join(dist, 'assets');
  const bytesOf = async (names: Iterable<string>): Promise<number> => {
    const sizes = await Promise.all(
      Array.from(names, (name) => stat(join(assets, `${name}.gz`)).catch(() => stat(join(assets, name)))),
    );
    return sizes.reduce((sum, { size }) => sum + size, 0);
  };
  const html = await readFile(join(dist, 'index.html'), 'utf8');
  const entry = /src="\.\/assets\/([\w.-]+\.js)"/.exec(html)?.[1];
  const names = (await readdir(assets)).filter((name) => name.endsWith('.js'));
  const page = names.find((name) => name.startsWith('OperatorPage-'));
  if (entry === undefined || page === undefined) throw new Error(`${dist} has no built operator's page`);
  const first = await needs(assets, page, await needs(assets, entry, new Set()));
  return {
    operator: await bytesOf(first),
    all: await bytesOf(names.filter((name) => !/^(naive|blocker)-/.test(name))),
    first: [...first],
  };
}

/** A script and what it cannot do without. */
async function needs(assets: string, name: string, found: Set<string>): Promise<Set<string>> {
  if (found.has(name)) return found;
  found.add(name);
  const text = await readFile(join(assets, name), 'utf8');
  for (const [, inner = ''] of text.matchAll(/(?:import|from)\s*["']\.\/([\w.-]+\.js)["']/g))
    await needs(assets, inner, found);
  return found;
}

export const scriptsTable = ({ operator, all }: ScriptSizes): ReportTable => ({
  title: 'Scripts of the pages',
  note: 'Compressed by gzip. A test holds every build to the limits.',
  columns: [{ name: 'scripts' }, { name: 'size', unit: 'bytes' }, { name: 'limit', unit: 'bytes' }],
  rows: [
    ['of the operator’s page, before its charts', operator, MOST_SCRIPT_BYTES.operator],
    ['of all pages', all, MOST_SCRIPT_BYTES.all],
  ],
});
