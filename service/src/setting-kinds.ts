/** Kinds of settings: each knows its name, its fallback, what is allowed, and how a value is read. */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { parseKserveUrls } from './inference/kserve/urls.ts';

export interface Setting<T> {
  /** Name of the environment variable. */
  name: string;
  fallback: T | undefined;
  /** What a good value looks like, for the error message. */
  allowed: string;
  parse: (text: string) => T;
  secret?: boolean;
  /** What of a value may be shown; all of it where absent. */
  shown?: (text: string) => string;
}

export const refuse = (): never => {
  throw new RangeError('not allowed');
};

export const integer = (name: string, fallback: number | undefined, low: number, high: number): Setting<number> => ({
  name,
  fallback,
  allowed: `an integer from ${low} to ${high}`,
  parse: (text) => (/^\d+$/.test(text) && Number(text) >= low && Number(text) <= high ? Number(text) : refuse()),
});
export const number = (name: string, fallback: number, low: number, high: number): Setting<number> => ({
  name,
  fallback,
  allowed: `a number from ${low} to ${high}`,
  parse: (text) => {
    const value = Number(text);
    return value >= low && value <= high ? value : refuse();
  },
});
export const flag = (name: string, fallback: boolean): Setting<boolean> => ({
  name,
  fallback,
  allowed: '1, 0, on or off',
  parse: (text) =>
    ['1', 'on', 'true'].includes(text) ? true : ['0', 'off', 'false'].includes(text) ? false : refuse(),
});
export const choice = <const T extends readonly string[]>(
  name: string,
  values: T,
  fallback: T[number],
): Setting<T[number]> => ({
  name,
  fallback,
  allowed: `one of ${values.join(', ')}`,
  parse: (text) => values.find((value) => value === text) ?? refuse(),
});
export const url = (name: string, protocols: string[]): Setting<string> => ({
  name,
  fallback: undefined,
  allowed: `a URL starting with ${protocols.join(' or ')}`,
  parse: (text) => (URL.canParse(text) && protocols.includes(new URL(text).protocol + '//') ? text : refuse()),
  secret: true,
});
export const text = (name: string, fallback: string, pattern: RegExp, allowed: string): Setting<string> => ({
  name,
  fallback,
  allowed,
  parse: (value) => (pattern.test(value) ? value : refuse()),
});
export const folder = (name: string, fallback: string): Setting<string> => ({
  name,
  fallback: resolve(fallback),
  allowed: 'a folder',
  parse: (value) => resolve(value),
});
/** Names that stand for whole ranges of private addresses. */
const PROXY_NAMES = ['loopback', 'linklocal', 'uniquelocal'];
/** One address, or a range of them. `/0` is refused: it would let everybody choose the address that counts. */
function isAddressRange(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const most = new Map([
    [4, 32],
    [6, 128],
  ]).get(isIP(address));
  if (most === undefined || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= most);
}
export const proxies = (name: string): Setting<readonly string[]> => ({
  name,
  fallback: [],
  allowed: `a comma list of addresses, ranges such as 10.0.0.0/8, ${PROXY_NAMES.join(', ')}`,
  parse(text) {
    const parts = text.split(',').map((part) => part.trim());
    return parts.every((part) => PROXY_NAMES.includes(part) || isAddressRange(part)) ? parts : refuse();
  },
});

export const sides = (name: string, fallback: readonly number[]): Setting<readonly number[]> => ({
  name,
  fallback,
  allowed: 'a comma list of 1 to 8 sides in pixels, multiples of 64 from 64 to 1536',
  parse(text) {
    const list = text.split(',').map((part) => (/^ *\d{2,4} *$/.test(part) ? Number(part) : refuse()));
    const good = list.length <= 8 && list.every((side) => side % 64 === 0 && side >= 64 && side <= 1536);
    return good ? list : refuse();
  },
});

export function isPool(text: string): boolean {
  if (!text.startsWith('kserve:')) return text === 'local' || /^sim:.+$/.test(text);
  try {
    return parseKserveUrls(text).length > 0;
  } catch {
    return false;
  }
}

/** An origin, perhaps with a folder; no slash at its end, so that a path can follow. */
export const baseUrl = (name: string): Setting<string> => ({
  name,
  fallback: '',
  allowed: 'an http or https URL without query, such as https://cdn.example.org',
  parse: (text) => {
    if (!URL.canParse(text)) return refuse();
    const { protocol, username, search, hash, origin, pathname } = new URL(text);
    if (!/^https?:$/.test(protocol) || username !== '' || search !== '' || hash !== '') return refuse();
    return origin + pathname.replace(/\/+$/, '');
  },
});
/** Whole, with its path, which may hold a key. As it will be asked for: two ways to write it are one. */
export const address = (name: string): Setting<string> => ({
  name,
  fallback: '',
  allowed: 'an http or https URL of at most 2,000 characters without name, password and fragment',
  secret: true,
  parse: (text) => {
    if (!URL.canParse(text)) return refuse();
    const { protocol, username, password, hash, href } = new URL(text);
    const isPlain = /^https?:$/.test(protocol) && username + password + hash === '';
    return isPlain && href.length <= 2_000 ? href : refuse();
  },
});
const isOrigin = (text: string) =>
  URL.canParse(text) &&
  /^https?:$/.test(new URL(text).protocol) &&
  new URL(text).origin === text &&
  !text.includes('*');

/** A secret of the Standard Webhooks specification: 24 to 64 bytes in base64 behind `whsec_`. */
export interface WebhookSecret {
  /** Whose messages it signs; null: those to whoever has none of his own. */
  origin: string | null;
  secret: string;
}
function webhookSecret(text: string): WebhookSecret {
  const [, origin = null, secret = ''] = /^(?:(http.*?)=)?(whsec_[A-Za-z\d+/]{32,86}={0,2})$/.exec(text.trim()) ?? [];
  if (Buffer.from(secret.slice(6), 'base64').length < 24 || (origin !== null && !isOrigin(origin))) return refuse();
  return { origin, secret };
}
export const webhookSecrets = (name: string): Setting<readonly WebhookSecret[]> => ({
  name,
  fallback: [],
  allowed:
    'secrets (whsec_ and 24 to 64 bytes in base64) or ORIGIN=secret with commas between, at most 4 for each origin',
  secret: true,
  parse: (text) => {
    const secrets = text.split(',').map(webhookSecret);
    const each = Map.groupBy(secrets, ({ origin }) => origin);
    return [...each.values()].every(({ length }) => length <= 4) ? secrets : refuse();
  },
});
/** A folder of a site, with a slash before it and none behind it; empty for the site's root. */
export const basePath = (name: string): Setting<string> => ({
  name,
  fallback: '',
  allowed: 'a path of letters, digits, -, _, . and ~, such as /segbench',
  parse: (text) => (/^(\/(?!\.{0,2}(\/|$))[\w.~-]+)*\/?$/.test(text) ? text.replace(/\/$/, '') : refuse()),
});
const HOST = /^[a-z\d.-]+(:\d{1,5})?$/;
export const hosts = (name: string): Setting<readonly string[]> => ({
  name,
  fallback: [],
  allowed: 'a comma list of host or host:port',
  parse: (text) => {
    const parts = text.split(',').map((part) => part.trim().toLowerCase());
    return parts.every((part) => HOST.test(part)) ? parts : refuse();
  },
});

/** Pages of other sites; `https://example.org`, each as a browser writes it. */
export const origins = (name: string): Setting<readonly string[]> => ({
  name,
  fallback: [],
  allowed: 'a comma list of origins such as https://example.org, without path',
  parse: (text) => {
    const parts = text.split(',').map((part) => part.trim());
    return parts.every(isOrigin) ? parts : refuse();
  },
});
