import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DECIDED_SETTINGS, parseStartOptions, startHelp } from '../../src/cli/start-options.ts';

describe('parseStartOptions', () => {
  it('has defaults when nothing is given', () => {
    const options = parseStartOptions([], {});
    expect(options).toMatchObject({ port: null, dataDir: resolve('.segbench/data'), help: false });
    expect(options.workers).toBeGreaterThanOrEqual(1);
  });

  it('takes port, folder and workers', () => {
    const options = parseStartOptions(['--port', '9000', '--data', '/data', '--workers', '3']);
    expect(options).toEqual({ port: 9000, dataDir: '/data', workers: 3, help: false });
  });

  it('takes WORKERS of the shell where no flag says how many', () => {
    expect(parseStartOptions([], { WORKERS: '3' }).workers).toBe(3);
    expect(parseStartOptions(['--workers', '4'], { WORKERS: '3' }).workers).toBe(4);
    expect(parseStartOptions([], { WORKERS: '' }).workers).toBe(parseStartOptions([], {}).workers);
    expect(DECIDED_SETTINGS).not.toContain('WORKERS');
  });

  it.each([
    [['--prot', '1'], 'unknown flag "--prot" (did you mean "--port"?); allowed: --port, --data, --workers, --help'],
    [['--port', '70000'], '--port "70000" is not allowed; allowed: a whole number from 0 to 65535'],
    [['--workers', '0'], '--workers "0" is not allowed; allowed: a whole number from 1 to 256'],
    [['--data'], '--data needs a value'],
  ])('names what is wrong and what is allowed for %j', (args, message) => {
    expect(() => parseStartOptions(args)).toThrow(message);
  });

  it('tells every flag in its help', () => {
    for (const flag of ['--port N', '--data DIR', '--workers N', '--help']) expect(startHelp()).toContain(flag);
  });
});
