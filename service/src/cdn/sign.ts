import { createHmac, timingSafeEqual } from 'node:crypto';

/** Half of SHA-256's length, the least that RFC 2104 section 5 allows: addresses stand in every list. */
const TAG_BYTES = 16;
const TAG = /^[A-Za-z0-9_-]{22}$/;
const EXPIRES = /^[1-9]\d{0,11}$/;
/** So that no other use of the same key can ever make a signature that counts here. */
const CONTEXT = 'segbench-url-v1';

export type Verdict = { valid: true; expires: number } | { valid: false; expired: boolean };

/**
 * What is signed: the path byte for byte as it was asked for, then the query by name. A proxy may bring parameters into another
 * order; it may not decode the path. What comes twice was never signed.
 */
function canonical(path: string, query: URLSearchParams): string {
  const pairs = [...query].filter(([name]) => name !== 'signature');
  return `${CONTEXT}\n${path}\n${new URLSearchParams(pairs.toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
}

/** Signs and checks addresses: HMAC-SHA-256 over path, query and expiry. The first key signs, all are believed. */
export function createSigner(keys: readonly string[], now: () => number = Date.now) {
  const tagOf = (key: string, text: string) => createHmac('sha256', key).update(text).digest().subarray(0, TAG_BYTES);
  return {
    now,
    /** @param query without `expires` and `signature`. @param expires seconds since 1970. */
    sign(path: string, query: Record<string, string>, expires: number): string {
      const all = new URLSearchParams({ ...query, expires: String(expires) });
      const text = canonical(path, all);
      all.set('signature', tagOf(keys[0]!, text).toString('base64url'));
      return `${path}?${all}`;
    },
    /** @param url as the request line has it. */
    verify(url: string): Verdict {
      const cut = url.indexOf('?');
      const query = new URLSearchParams(cut < 0 ? '' : url.slice(cut + 1));
      const signatures = query.getAll('signature');
      const expires = query.get('expires') ?? '';
      const text = canonical(cut < 0 ? url : url.slice(0, cut), query);
      if (signatures.length !== 1 || !TAG.test(signatures[0]!) || !EXPIRES.test(expires))
        return { valid: false, expired: false };
      const given = Buffer.from(signatures[0]!, 'base64url');
      // Base64 of 16 bytes leaves bits over: only one way to write a signature counts.
      if (given.toString('base64url') !== signatures[0]) return { valid: false, expired: false };
      // All keys are compared, so that the time tells nothing of which one it was.
      const known = keys.filter((key) => timingSafeEqual(tagOf(key, text), given)).length > 0;
      if (!known) return { valid: false, expired: false };
      return Number(expires) * 1000 > now()
        ? { valid: true, expires: Number(expires) }
        : { valid: false, expired: true };
    },
  };
}
export type Signer = ReturnType<typeof createSigner>;

/** Between once and one and a half times `ttlSeconds` ahead, and the same for half of that time: the same address can be cached. */
export function expiryAt(nowMs: number, ttlSeconds: number): number {
  const step = Math.max(1, Math.floor(ttlSeconds / 2));
  return Math.ceil((nowMs / 1000 + ttlSeconds) / step) * step;
}
