import { describe, expect, it } from 'vitest';
import { exitOf } from '../../src/cli/exit.ts';
import { UsageError } from '../../src/cli/usage-error.ts';
import { EnvironmentError } from '../../src/environment/errors.ts';

describe('exitOf', () => {
  it('is 2 with the message alone when the command line is wrong', () => {
    expect(exitOf(new UsageError('unknown flag'))).toEqual({ code: 2, message: 'unknown flag' });
  });

  it('is 3 with the message alone when the environment is missing', () => {
    expect(exitOf(new EnvironmentError('install Redis'))).toEqual({ code: 3, message: 'install Redis' });
  });

  it('is 3 with one message when a disk is full', () => {
    const full = Object.assign(new Error('no space left on device, write'), { code: 'ENOSPC' });
    const { code, message } = exitOf(full);
    expect(code).toBe(3);
    expect(message).toMatch(/^a disk is full.*no space left on device, write$/);
  });

  it('is 3 with the stack when the mistake is ours: no budget has failed', () => {
    const { code, message } = exitOf(new TypeError('x is undefined'));
    expect(code).toBe(3);
    expect(message).toMatch(/^TypeError: x is undefined\n\s+at /);
  });
});
