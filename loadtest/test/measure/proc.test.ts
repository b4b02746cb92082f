import { spawn } from 'node:child_process';
import { describe, expect, it, vi } from 'vitest';
import { foreignShare, parseMachineCpu } from '../../src/measure/noise.ts';
import { parseStat, readProcess } from '../../src/measure/proc.ts';
import { cpuBetween, createProcessSampler } from '../../src/measure/processes.ts';
import { pressureBetween } from '../../src/measure/psi.ts';

describe('parseStat', () => {
  it('reads CPU times of a command with spaces and brackets in its name', () => {
    const text = '7 (a (b) c) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 30 20 20 0 1 0 5 100 10';
    expect(parseStat(text)).toEqual({ cpuSeconds: 2, reapedCpuSeconds: 0.5 });
  });
});

describe('createProcessSampler', () => {
  it('counts a child under its own role, and its time after it ended under its parent', async () => {
    // Of CPU time, not of the clock: on a busy machine the child gets its time later.
    const busy = 'while (process.cpuUsage().user < 250_000); process.stdin.resume();';
    const inner = `require('child_process').spawnSync(process.execPath, ['-e', ${JSON.stringify(busy)}], { stdio: 'inherit' });`;
    const outer = `${inner} console.log('done'); setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ['-e', outer], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      const sampler = createProcessSampler({ intervalMs: 20 });
      sampler.watch({ role: 'worker', pid: child.pid ?? 0, childRole: () => 'inference' });
      const before = sampler.cpu();
      sampler.start();
      // It waits to be let go, so that it was seen however seldom this process gets to look.
      await vi.waitUntil(() => (sampler.summary()['inference']?.rssPeakBytes ?? 0) > 10e6, 20_000);
      child.stdin.end();
      await new Promise((resolve) => child.stdout.once('data', resolve));
      sampler.stop();
      const after = sampler.cpu();
      expect(cpuBetween(before, after, ['worker'])).toBeGreaterThan(0.15);
    } finally {
      child.kill('SIGKILL');
    }
  });
  it('reads nothing of a process that is gone', () => expect(readProcess(2 ** 22 + 1)).toBeNull());
});

describe('noise', () => {
  it('counts what is neither idle nor ours, stolen time included', () => {
    const before = parseMachineCpu('cpu  100 0 100 800 0 0 0 0 0 0\n');
    const after = parseMachineCpu('cpu  300 0 200 900 0 0 0 100 0 0\n');
    expect(foreignShare(before, after, 2)).toBeCloseTo(2 / 5);
    expect(foreignShare(null, after, 2)).toBeNull();
  });
  it('takes pressure as a share of the time between two readings', () => {
    const at = (someMicros: number, atMs: number) => ({ someMicros, atMs });
    expect(pressureBetween(at(0, 0), at(500_000, 1000))).toBeCloseTo(0.5);
    expect(pressureBetween(null, at(1, 1))).toBeNull();
  });
});
