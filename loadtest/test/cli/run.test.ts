import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { capture } from '../../src/environment/processes.ts';

const launcher = join(import.meta.dirname, '../../bin/run.mjs');
const run = (...args: string[]) => capture(process.execPath, [launcher, ...args]);

describe('run.mjs', () => {
  it('ends with 2 and names the commands when the command is unknown', async () => {
    const { code, stderr } = await run('strat');
    expect(code).toBe(2);
    expect(stderr).toBe(
      'unknown command "strat"; allowed: bench, start, compare, test, backup, worker, plan, calibrate, report, screenshots, check, doctor, scale\n',
    );
  });

  it('ends with 2 on a name that every object has', async () => {
    expect((await run('constructor')).code).toBe(2);
  });

  it('shows the commands when asked for help', async () => {
    const { code, stdout } = await run('--help');
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /bench .*\n.*start .*\n.*compare .*\n.*test .*\n.*backup .*\n.*worker .*\n.*plan .*\n.*calibrate .*\n.*report .*\n.*screenshots .*\n.*check /,
    );
  });

  it.each(['start', 'compare', 'backup', 'plan', 'screenshots', 'check', 'doctor', 'scale'])(
    'ends with 2 when %s gets an unknown flag',
    async (command) => {
      const { code, stdout, stderr } = await run(command, '--bogus');
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
      expect(stderr).toContain('unknown flag "--bogus"; allowed: --');
    },
  );

  it('hands arguments on to the command', async () => {
    const { code, stdout } = await run('start', '--help');
    expect(code).toBe(0);
    expect(stdout).toContain('usage: npm start');
  });
});

describe('underLock', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'run-test-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('lets one at a time in, and takes over from one that was killed', async () => {
    // A copy of the launcher in a folder of its own has that folder as its root.
    const script = `
      import { cpSync, readdirSync } from 'node:fs';
      import { spawnSync, spawn } from 'node:child_process';
      cpSync(${JSON.stringify(join(import.meta.dirname, '../../bin'))}, ${JSON.stringify(dir)} + '/loadtest/bin', { recursive: true });
      const { underLock } = await import(${JSON.stringify(dir)} + '/loadtest/bin/run/shared.mjs');
      const { signal } = new AbortController();
      let inside = 0, most = 0;
      const work = () => underLock(signal, async () => {
        most = Math.max(most, ++inside);
        await new Promise((resolve) => setTimeout(resolve, 20));
        inside--;
      });
      await Promise.all([work(), work(), work()]);
      const killed = "import { underLock } from " + JSON.stringify(${JSON.stringify(dir)} + '/loadtest/bin/run/shared.mjs') +
        "; await underLock(new AbortController().signal, () => { process.kill(process.pid, 'SIGKILL'); return new Promise(() => {}); });";
      spawnSync(process.execPath, ['--input-type=module', '-e', killed]);
      const held = readdirSync(${JSON.stringify(dir)} + '/.segbench').length;
      await work();
      console.log(JSON.stringify({ most, held, left: readdirSync(${JSON.stringify(dir)} + '/.segbench') }));`;
    const { stdout } = await capture(process.execPath, ['--input-type=module', '-e', script]);
    expect(stdout).toBe(`${JSON.stringify({ most: 1, held: 1, left: [] })}\n`);
  });
});
