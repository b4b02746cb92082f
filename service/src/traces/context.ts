import { randomBytes } from 'node:crypto';

/**
 * A span's place as W3C Trace Context writes it (`traceparent`, version 00): trace id, span id, flags. Text, because it lies in
 * columns and travels in frames; who is not traced has null.
 */
export type Traceparent = string;

const FORM = /^00-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}$/;

export const newSpanId = (): string => {
  const id = randomBytes(8).toString('hex');
  return /^0+$/.test(id) ? newSpanId() : id;
};
/** @throws RangeError for what this service never writes */
export function partsOf(traceparent: Traceparent): { traceId: string; spanId: string } {
  const [, traceId, spanId] = FORM.exec(traceparent) ?? [];
  if (traceId === undefined || spanId === undefined)
    throw new RangeError(`traceparent is ${JSON.stringify(traceparent)}: expected 00-TRACE-SPAN-FLAGS`);
  return { traceId, spanId };
}
/** The place of another span of the same trace, which is recorded. */
export const sibling = (traceparent: Traceparent, spanId: string): Traceparent =>
  `00-${partsOf(traceparent).traceId}-${spanId}-01`;
