import { randomBytes } from 'node:crypto';

let lastMs = 0;
let counter = 0;

/**
 * UUID version 7 (RFC 9562 section 5.7): ids made later sort later, so that a reader of events can tell which of two
 * batches of one image is the newer one. Inside a millisecond a 12-bit counter keeps the order.
 */
export function uuidv7(nowMs: number = Date.now()): string {
  counter = nowMs > lastMs ? 0 : counter + 1;
  if (counter > 0xfff) {
    counter = 0;
    lastMs += 1;
  }
  lastMs = Math.max(lastMs, nowMs);
  const bytes = randomBytes(16);
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | counter, 6);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The lowest id of version 7 that could be made at `ms`: ids made later are larger (RFC 9562 section 5.7). */
export function firstIdAt(ms: number): string {
  const hex = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
