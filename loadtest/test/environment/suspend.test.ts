import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { resume, suspend } from '../../src/environment/suspend.ts';
import { createGroupWatch } from '../../src/environment/watch-groups.ts';
import { isAlive } from '../../src/environment/processes.ts';
import { descendants } from '../../src/measure/proc.ts';

/** A child in a group of its own, which has one in another: as the service and its database are. */
const INNER = 'setInterval(() => {}, 1000)';
const OUTER = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(INNER)}], { detached: true }); ${INNER}`;
const trees: number[][] = [];

async function tree(): Promise<number[]> {
  const child = spawn(process.execPath, ['-e', OUTER], { detached: true, stdio: 'ignore' });
  const root = child.pid as number;
  const pids = [root];
  trees.push(pids);
  while (pids.length === 1) {
    await sleep(20);
    pids.push(...descendants(root));
  }
  return pids;
}
const stateOf = (pid: number): string | undefined => /\) (\w) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
async function goneWithin(pids: readonly number[], ms: number): Promise<number[]> {
  for (let waited = 0; waited < ms && pids.some((pid) => isAlive(pid)); waited += 50) await sleep(50);
  return pids.filter((pid) => isAlive(pid));
}
// The inner one outlives an outer one that has ended, and is nobody's child then.
afterEach(() => {
  for (const pid of trees.splice(0).flat()) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
});

describe('suspend and resume', () => {
  it('stop a tree through all of its groups, and let it go on', async () => {
    const pids = await tree();
    await suspend(pids[0] as number);
    expect(pids.map(stateOf)).toEqual(pids.map(() => 'T'));
    await resume(pids[0] as number);
    expect(pids.map(stateOf)).not.toContain('T');
  });

  it('leave a process that has ended alone', async () => {
    await expect(suspend(2 ** 22 - 1)).resolves.toBeUndefined();
  });
});

describe('a watched group that is suspended', () => {
  it('hears SIGTERM in time, since the watchdog lets it go on first', async () => {
    const [root = 0] = await tree();
    await suspend(root);
    const groups = createGroupWatch();
    groups.add(root);
    const began = Date.now();
    await groups.end('no-such-run', 20_000, []);
    expect(await goneWithin([root], 1_000)).toEqual([]);
    // By SIGTERM: the SIGKILL would have come after twenty seconds.
    expect(Date.now() - began).toBeLessThan(15_000);
  });
});
