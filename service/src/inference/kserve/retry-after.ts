/** The header `Retry-After`, seconds or a date (RFC 9110, 10.2.3), as ms from `now` (epoch ms); null without a valid one. */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  // Date.parse takes much that is no date of HTTP, such as -1.
  const at = /^[a-z]{3,9}, ?\d/i.test(header) ? Date.parse(header) : NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
