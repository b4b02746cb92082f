import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ground } from '../capacity/ground.ts';
import { planOf, type Plan } from '../capacity/plan.ts';
import { parsePrices, type Prices } from '../capacity/prices.ts';
import type { Question } from '../capacity/question.ts';
import { readGround } from '../capacity/read-ground.ts';
import { scoresOf } from '../capacity/score.ts';
import { whatIf, type WhatIf } from '../capacity/what-if.ts';
import { planHtml } from '../report/plan-html.ts';
import { planTerminal } from '../report/plan-terminal.ts';
import { describeTool } from '../run/tool.ts';
import { EXIT, reportError } from './exit.ts';
import { parsePlanOptions, planHelp, type PlanOptions } from './plan-options.ts';
import { UsageError } from './usage-error.ts';

const EXITS: Readonly<Record<Plan['verdict'], number>> = {
  answered: EXIT.pass,
  impossible: EXIT.failed,
  illustrative: EXIT.inconclusive,
};

async function readPrices(file: string): Promise<Prices> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError(`--prices "${file}" cannot be read: ${(error as Error).message}`);
  });
  try {
    return parsePrices(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new UsageError(`--prices "${file}": ${error.message}`);
  }
}

/** Sides and cells of their own stand for those of the shape, and that for what was measured. */
function questionOf({ question: { side, cells, ...rest } }: PlanOptions, { service }: Ground): Question {
  const shape = rest.shape ?? service.typical;
  if (side === null && cells === null) return rest;
  return {
    ...rest,
    shape: { name: 'as asked', side: side ?? shape.side, cells: cells ?? shape.cells },
  };
}

async function run(options: PlanOptions): Promise<number> {
  const { prices: file, out } = options;
  const prices = file === undefined ? undefined : { prices: await readPrices(file), file };
  const ground = await readGround(options.from);
  const question = questionOf(options, ground);
  const plan = planOf(ground, question, prices);
  const turned = options.whatIf.map(({ knob, value }): WhatIf => whatIf(ground, question, plan, knob, value));
  const others: Ground[] = [];
  for (const path of options.score) others.push(await readGround(path, '--score'));
  const scores = scoresOf(ground, question, others);
  const whole = { tool: await describeTool(), madeAt: new Date().toISOString(), ...plan, whatIf: turned, scores };
  const json = `${JSON.stringify(whole, null, 2)}\n`;
  if (out !== undefined) {
    await mkdir(out, { recursive: true });
    await writeFile(join(out, 'plan.json'), json);
    await writeFile(join(out, 'plan.html'), planHtml(whole));
  }
  process.stdout.write(options.json ? json : planTerminal(whole));
  if (out !== undefined) process.stderr.write(`  ${join(out, 'plan.html')}\n`);
  return EXITS[plan.verdict];
}

try {
  const options = parsePlanOptions(process.argv.slice(2), Date.now());
  if (options === 'help') process.stdout.write(`${planHelp()}\n`);
  else process.exitCode = await run(options);
} catch (error) {
  reportError(error);
}
