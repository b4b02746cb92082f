import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { groundOfResult } from '../../src/capacity/ground-of-result.ts';
import { planOf } from '../../src/capacity/plan.ts';
import { readGround } from '../../src/capacity/read-ground.ts';
import { exitOf } from '../../src/cli/exit.ts';
import { projectRoot } from '../../src/environment/paths.ts';
import { capture } from '../../src/environment/processes.ts';
import { planHtml } from '../../src/report/plan-html.ts';
import { planTerminal } from '../../src/report/plan-terminal.ts';
import { plainResult, QUESTION as ASKED, section, SHARED, sweptResult } from '../capacity/grounds.ts';
import { NASTY } from '../report/results.ts';

const entry = join(import.meta.dirname, '../../src/cli/plan.ts');
const plan = (...args: string[]) => capture(process.execPath, [entry, ...args]);
const QUESTION = ['--images', '50000', '--deadline', '1h'];

let dir: string;
const file = async (name: string, value: unknown): Promise<string> => {
  const path = join(dir, name);
  await writeFile(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
};
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'plan-test-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('plan', () => {
  it('answers with a table, a file of JSON and a page that needs nothing else', async () => {
    const from = await file('result.json', sweptResult());
    const prices = await file('prices.json', { currency: 'EUR', workerHour: 1 });
    const { code, stdout, stderr } = await plan(
      '--from',
      dir,
      ...QUESTION,
      '--prices',
      prices,
      '--what-if',
      'workers=1,8',
      '--score',
      from,
      '--out',
      join(dir, 'out'),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: `  ${join(dir, 'out/plan.html')}\n` });
    expect(stdout).toMatch(/within 60 min need 1 \(95 %: 1 to \d\) worker\.|need \d+ \(95 %: /);
    for (const title of [
      'Answer',
      'What binds',
      'Time by workers',
      'Cost',
      'What if',
      'Predicted and measured',
      'Where each number comes from',
    ])
      expect(stdout).toContain(title);
    const written = JSON.parse(await readFile(join(dir, 'out/plan.json'), 'utf8')) as Record<string, unknown>;
    expect(written).toMatchObject({ schemaVersion: 1, kind: 'plan', verdict: 'answered', ground: { file: from } });
    const html = await readFile(join(dir, 'out/plan.html'), 'utf8');
    expect(html).toContain('<figure role="img" aria-label="Images a second by workers: ');
    expect(html).not.toMatch(/(src|href)="http/);
  });

  it('ends as ever, without a word, where whoever reads its answer has left', async () => {
    const from = await file('result.json', sweptResult());
    const line = `"$@" | true; exit "\${PIPESTATUS[0]}"`;
    const args = [process.execPath, entry, '--from', from, ...QUESTION, '--json'];
    expect(await capture('bash', ['-c', line, 'bash', ...args])).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  it('gives no answer to buy by from an illustrative profile: exit 5, and JSON says why', async () => {
    const { code, stdout, stderr } = await plan('--from', 'rtx-a5000-unet', ...QUESTION, '--json');
    expect({ code, stderr }).toEqual({ code: 5, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      verdict: 'illustrative',
      workers: { value: null, source: expect.stringContaining('one shape, not three') as string },
    });
  });

  it('ends with 2 and one sentence when a file is none', async () => {
    const { code, stdout, stderr } = await plan('--from', 'rtx-a5000-une', ...QUESTION);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(
      /^--from "rtx-a5000-une" is no file and no profile; allowed: .*did you mean "rtx-a5000-unet".*\n$/,
    );
  });
});

describe('readGround', () => {
  it('finds the profile that is shipped and may be bought by', async () => {
    const ground = await readGround('epyc-core');
    expect(ground.illustrative).toBeNull();
    expect(planOf(ground, ASKED).verdict).toBe('answered');
  });

  it('finds what the kept runs are good for: the main job answers, a drill without a rate does not', async () => {
    const kept = join(projectRoot, 'bench-results/reference');
    const plan = planOf(await readGround(join(kept, 'bulk-1000-1.json')), ASKED);
    expect(plan).toMatchObject({ verdict: 'answered', workers: { value: 1 } });
    await expect(readGround(join(kept, 'drain.json'))).rejects.toThrow(/too little to plan by: it has no rate/);
  });

  it.each([
    [
      'other-schema.json',
      () => ({ ...plainResult(), schemaVersion: 2 }),
      2,
      /--from ".*other-schema.json" has schemaVersion 2; allowed: 1/,
    ],
    ['no-json.json', () => '{"schema', 2, /--from ".*no-json.json" cannot be read/],
    ['half.json', () => ({ schemaVersion: 1, scenario: 'bulk-1000' }), 2, /is no result.json: it lacks/],
    ['bad-profile.json', () => ({ residuals: [1], name: 'x' }), 2, /--from ".*bad-profile.json": profile/],
    [
      'bad-section.json',
      () => ({ ...plainResult(), capacity: { ...section(), levels: [{ workers: 0 }] } }),
      2,
      /capacity\/levels\/0/,
    ],
    [
      'five.json',
      () => sweptResult({ levels: section({}, [1, 2, 3, 4, 5]).levels }),
      5,
      /five.json" has too little to plan by: .*5 levels/,
    ],
    [
      'no-rate.json',
      () => ({ ...plainResult(), efficiency: { ...plainResult().efficiency, imagesPerSecond: null } }),
      5,
      /too little to plan by: it has no rate/,
    ],
  ])('refuses %s', async (name, value, code, message) => {
    const path = await file(name, value());
    const error = await readGround(path).catch((caught: unknown) => caught);
    expect(exitOf(error).message).toMatch(message);
    expect(exitOf(error).code).toBe(code);
  });
});

it('lets no text of a result into its page as markup, nor into a terminal as a command', async () => {
  const result = sweptResult();
  result.environment.cpuModel = NASTY;
  const ground = groundOfResult(result, NASTY, SHARED);
  const plan = planOf(ground, ASKED);
  const whole = { ...plan, tool: result.tool, madeAt: '2026-11-28T12:00:00.000Z', whatIf: [], scores: null };
  for (const raw of ['a<b>', '</script>', '\u0007']) expect(planHtml(whole)).not.toContain(raw);
  expect(planHtml(whole)).toContain('a&lt;b&gt;');
  for (const raw of ['\u001b', '\u0007']) expect(planTerminal(whole)).not.toContain(raw);
});
