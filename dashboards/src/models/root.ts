/**
 * Where the service begins in its site, with a slash at the end, from the address of one of its scripts: they lie in `assets` below it.
 * `/`, or `/segbench/` where a proxy gave the service a folder.
 */
export function rootOf(script: string): string {
  return /\/assets\/[^/]+$/.test(script) ? new URL('..', script).pathname : '/';
}

const script = import.meta.url;
export const ROOT = rootOf(script);

/** An address of the service, such as `/runs` or `/api/now`, as it is in its site. */
export const here = (path: string, root = ROOT): string => root + path.slice(1);

/** The other way: `/segbench/runs` of a site as `/runs` of the service. */
export const pathIn = (pathname: string, root = ROOT): string =>
  pathname.startsWith(root) ? pathname.slice(root.length - 1) : pathname;
