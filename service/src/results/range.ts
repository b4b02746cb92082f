export interface ByteRange {
  start: number;
  /** Inclusive. */
  end: number;
}

/**
 * A `Range` header against a file of `size` bytes (RFC 9110 section 14).
 * @returns null when the header must be ignored (absent, malformed, another unit, or several ranges, which would only make a reader
 * that asks for them slower; the end of an empty file is satisfiable, but no 206 can name it), `'unsatisfiable'` for a 416.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | null {
  const match = /^bytes=(\d*)-(\d*)$/i.exec(header ?? '');
  if (!match) return null;
  const [, first = '', last = ''] = match;
  if (first === '' && last === '') return null;
  if (first === '') {
    const suffix = Number(last);
    if (suffix === 0) return 'unsatisfiable';
    return size === 0 ? null : { start: Math.max(0, size - suffix), end: size - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return null;
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}

/**
 * `If-Range`: the range is only meant for this very version, by its tag or to the second (RFC 9110 section 13.1.5). A weak tag never
 * matches; a date may be written in any of the three ways.
 */
export function isRangeCurrent(ifRange: string | undefined, etag: string, lastModified: string): boolean {
  if (ifRange === undefined || ifRange === etag) return true;
  return /^[A-Z][a-z]{2,8},? /.test(ifRange) && Date.parse(ifRange) === Date.parse(lastModified);
}

/** `If-None-Match`, else `If-Modified-Since`: whether the client has this version (RFC 9110 section 13.2.2). */
export function isNotModified(
  headers: { 'if-none-match'?: string | undefined; 'if-modified-since'?: string | undefined },
  etag: string,
  lastModified: string,
): boolean {
  const match = headers['if-none-match'];
  if (match !== undefined)
    return match.trim() === '*' || match.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
  const since = Date.parse(headers['if-modified-since'] ?? '');
  return !Number.isNaN(since) && Date.parse(lastModified) <= since;
}
