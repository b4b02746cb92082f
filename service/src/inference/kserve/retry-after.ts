/** The header `Retry-After`, seconds or a date (RFC 9110, 10.2.3), as ms from `now` (epoch ms); null without a valid one. */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\d+$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
