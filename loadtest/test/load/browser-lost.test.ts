import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { judgeRun } from '../../src/judge/judge-run.ts';
import { exitCodeOf } from '../../src/judge/verdict.ts';
import { runScenario } from '../../src/run/scenario-run.ts';
import { childLike, withInput } from './kit.ts';

const TIMEOUT_MS = 120_000;
/** Until it has a page. */
const OPENED_MS = 1500;
const GONE_WITHIN_MS = 5000;

async function killBrowser(): Promise<number> {
  const pid = await childLike(/--user-data-dir=[^\0]*browser-/);
  await sleep(OPENED_MS);
  process.kill(pid, 'SIGKILL');
  return pid;
}

/** Processes of a group that still run, by proc(5): state, parent, group. Those that nobody has waited for are none. */
const runningIn = (group: number): string[] =>
  readdirSync('/proc').filter((name) => {
    try {
      const [state, , its] = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      return Number(its) === group && state !== 'Z';
    } catch {
      return false;
    }
  });
async function leftOf(group: number): Promise<string[]> {
  for (const until = Date.now() + GONE_WITHIN_MS; Date.now() < until && runningIn(group).length > 0;) await sleep(50);
  return runningIn(group);
}

it.each([
  ['gallery-100k', '2000'],
  ['viewer', '500'],
  ['page-hour', '1000'],
  ['page-storm', '100000'],
])(
  'ends %s with one sentence and nothing left when its browser is killed on the way',
  async (name, count) => {
    await withInput(['--scenario', name, '--count', count], {}, async (input) => {
      const [run, pid] = await Promise.all([runScenario(input), killBrowser()]);
      expect(run.stopped).toEqual({ reason: 'error', message: 'the browser ended' });
      const tool = { name: 'segbench', version: '0', commit: 'x' };
      const result = judgeRun({ run, scenario: input.options.scenario, tool });
      expect(exitCodeOf(result.verdict)).toBe(3);
      expect(result.notes[0]).toBe('error: the browser ended');
      expect(await leftOf(pid)).toEqual([]);
    });
  },
  TIMEOUT_MS,
);
