import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { judgeRun } from '../../src/judge/judge-run.ts';
import { exitCodeOf } from '../../src/judge/verdict.ts';
import { runScenario } from '../../src/run/scenario-run.ts';
import { withInput } from './kit.ts';

const TIMEOUT_MS = 120_000;
/** Until it has a page. */
const OPENED_MS = 1500;
const GONE_WITHIN_MS = 5000;

interface Running {
  pid: number;
  parent: number;
  group: number;
  isZombie: boolean;
  command: string;
}
/** Every process of this machine, from proc(5). */
const running = (): Running[] =>
  readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const [state = '', parent, group] = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      const command = readFileSync(`/proc/${name}/cmdline`, 'utf8');
      return [{ pid: Number(name), parent: Number(parent), group: Number(group), isZombie: state === 'Z', command }];
    } catch {
      return [];
    }
  });
const browserOfThisProcess = (): Running | undefined =>
  running().find(({ parent, command }) => parent === process.pid && /--user-data-dir=[^\0]*browser-/.test(command));

async function killBrowser(): Promise<number> {
  for (;;) {
    const found = browserOfThisProcess();
    if (found) {
      await sleep(OPENED_MS);
      process.kill(found.pid, 'SIGKILL');
      return found.group;
    }
    await sleep(20);
  }
}
async function leftOf(group: number): Promise<string[]> {
  const left = () => running().filter((one) => one.group === group && !one.isZombie);
  for (const until = Date.now() + GONE_WITHIN_MS; Date.now() < until && left().length > 0;) await sleep(50);
  return left().map(({ command }) => command);
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
      const [run, group] = await Promise.all([runScenario(input), killBrowser()]);
      expect(run.stopped).toEqual({ reason: 'error', message: 'the browser ended' });
      const tool = { name: 'segbench', version: '0', commit: 'x' };
      const result = judgeRun({ run, scenario: input.options.scenario, tool });
      expect(exitCodeOf(result.verdict)).toBe(3);
      expect(result.notes[0]).toBe('error: the browser ended');
      expect(await leftOf(group)).toEqual([]);
    });
  },
  TIMEOUT_MS,
);
