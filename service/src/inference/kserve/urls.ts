const PREFIX = 'kserve:';
const ALLOWED =
  'kserve:URL[,URL…], each an http or https URL without query and fragment, such as kserve:http://10.0.0.5:8000';

/** Text that may hold credentials, fit for a message: what stands before its last @ is not shown, right or wrong. */
export const hideCredentials = (text: string): string =>
  text.replace(/^((?:kserve:)?(?:[a-z][a-z\d+.-]*:\/\/)?).*@/is, '$1***@');

/** An endpoint's URL as messages, logs and statistics show it: without its credentials. */
export function publicUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + (pathname === '/' ? '' : pathname);
}

/** Where requests go, and what they carry; `fetch` refuses URLs that hold credentials. */
export function accessOf(url: string): { base: string; headers: Record<string, string> } {
  const { username, password } = new URL(url);
  if (username === '' && password === '') return { base: publicUrl(url), headers: {} };
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { base: publicUrl(url), headers: { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` } };
}

/**
 * Base URLs of the setting POOL, with their credentials, no slash at the end. They may have a path, to which `/v2` is added.
 * @throws RangeError that names the setting, its value without credentials, and what is allowed
 */
export function parseKserveUrls(pool: string): string[] {
  const refuse = (why: string): never => {
    throw new RangeError(`POOL is "${hideCredentials(pool)}": ${why} (allowed: ${ALLOWED})`);
  };
  if (!pool.startsWith(PREFIX)) refuse(`it does not start with "${PREFIX}"`);
  const parts = pool
    .slice(PREFIX.length)
    .split(',')
    .map((part) => part.trim());
  const urls = parts.map((part, i) => {
    const which = `URL ${i + 1} of ${parts.length}`;
    if (part === '') refuse(`${which} is empty`);
    if (!URL.canParse(part)) refuse(`${which} is not a URL`);
    const url = new URL(part);
    if (!/^https?:$/.test(url.protocol)) refuse(`${which} does not start with http:// or https://`);
    if (part.includes('?')) refuse(`${which} has a query`);
    if (part.includes('#')) refuse(`${which} has a fragment`);
    if (!decodes(url.username) || !decodes(url.password))
      refuse(`${which} has credentials that are not percent-encoded`);
    url.pathname = url.pathname.replace(/\/+$/, '');
    return url.href.replace(/\/$/, '');
  });
  const places = urls.map(publicUrl);
  const twice = places.findIndex((place, i) => places.indexOf(place) !== i);
  if (twice !== -1) refuse(`URL ${twice + 1} of ${parts.length} is there twice`);
  return urls;
}

function decodes(text: string): boolean {
  try {
    return decodeURIComponent(text) !== null;
  } catch {
    return false;
  }
}
