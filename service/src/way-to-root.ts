/**
 * From a page's address back to where the service begins: `./` at `/` and `/runs`, `../` at `/runs/` and `/projects/:id`. A proxy may have
 * given the service a folder of its site and taken that away from the address: relative ways hold all the same.
 */
export function wayToRoot(url: string): string {
  const { pathname } = new URL(url, 'http://service');
  return '../'.repeat(pathname.split('/').length - 2) || './';
}

/** A page of the service's root whose relative addresses hold at `url`, too. */
export const pageAt = (html: string, url: string): string => html.replaceAll('="./', `="${wayToRoot(url)}`);

/** `/segbench/runs?a=b` as `/runs?a=b` where the base is `/segbench`; what does not lie below it stays. */
export function withoutBase(url: string, base: string): string {
  if (url === base) return '/';
  return url.startsWith(`${base}/`) || url.startsWith(`${base}?`)
    ? `/${url.slice(base.length).replace(/^\//, '')}`
    : url;
}
