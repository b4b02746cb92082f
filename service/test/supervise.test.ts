import { expect, it } from 'vitest';
import { inherited } from '../src/supervise.ts';

it('roles inherit the environment and NODE_ENV, and no other setting of a shell', () => {
  const shell = { PATH: '/bin', NODE_ENV: 'production', RATE_LIMITS: 'off', PLANT: 'x', PORT: '1', LEASE_MS: '5' };
  expect(inherited(shell)).toEqual({ PATH: '/bin', NODE_ENV: 'production' });
});
