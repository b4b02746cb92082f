import { expect, it } from 'vitest';
import { traceIdOf } from '../src/trace-id.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';

it('takes the trace from a well-formed traceparent, of later versions too', () => {
  expect(traceIdOf(`00-${TRACE}-${PARENT}-01`)).toBe(TRACE);
  expect(traceIdOf(`cc-${TRACE}-${PARENT}-01-what-the-future-brings`)).toBe(TRACE);
});

it.each([
  undefined,
  '',
  'nonsense',
  [`00-${TRACE}-${PARENT}-01`, `00-${TRACE}-${PARENT}-01`],
  `00-${'0'.repeat(32)}-${PARENT}-01`,
  `00-${TRACE}-${'0'.repeat(16)}-01`,
  `ff-${TRACE}-${PARENT}-01`,
  `00-${TRACE.toUpperCase()}-${PARENT}-01`,
  `00-${TRACE}-${PARENT}-01-more`,
  `00-${TRACE}-${PARENT}`,
])('takes none from %j', (header) => {
  expect(traceIdOf(header)).toBeNull();
});
