import { expect, it } from 'vitest';
import { createAhead } from '../../src/roles/ahead.ts';

it('a worker takes as much ahead as it executes in two fifths of a second, one at least, and no more than is allowed', () => {
  const ahead = createAhead({ slots: 2, most: 8 });
  expect(ahead.limit()).toBe(4);
  ahead.observe(1000);
  expect(ahead.limit()).toBe(2 * 2);
  for (let i = 0; i < 100; i++) ahead.observe(60);
  expect(ahead.limit()).toBe(2 * (1 + 7));
  for (let i = 0; i < 100; i++) ahead.observe(0);
  expect(ahead.limit()).toBe(2 * 8);
  expect(createAhead({ slots: 3, most: 1 }).limit()).toBe(3);
});
