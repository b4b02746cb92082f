import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { planOf } from '../../src/capacity/plan.ts';
import { parsePrices } from '../../src/capacity/prices.ts';
import { readGround } from '../../src/capacity/read-ground.ts';
import { parsePlanOptions } from '../../src/cli/plan-options.ts';
import { formatFigure } from '../../src/report/plan-format.ts';

const page = await readFile(new URL('../../../docs/capacity.md', import.meta.url), 'utf8');
const [, prices] = /`(\{"currency".*?\})`/.exec(page)!;
const [, from] = /plan -- --from (\S+bulk-1000-1\.json)/.exec(page)!;
const questions = [...page.matchAll(/^--images \d+ --deadline \w+$/gm)].map(([line]) => line);

it('says on paper what the plan says: answers, word by word, and what each stage lets through', async () => {
  expect(questions).toHaveLength(4);
  const ground = await readGround(from!);
  for (const line of questions) {
    const options = parsePlanOptions(['--from', from!, ...line.split(' ')], Date.now());
    if (options === 'help') throw new Error(line);
    const { words, stages } = planOf(ground, options.question, { prices: parsePrices(prices!), file: 'prices.json' });
    expect(page).toContain([line, ...words.map((words) => `  ${words}`)].join('\n'));
    if (line !== questions[0]) continue;
    const rows = stages.map(({ capacity }) => formatFigure(capacity));
    expect([...page.matchAll(/^\| [^|]+ \| ([\d,.]+ \/s) /gm)].map(([, rate]) => rate)).toEqual(rows);
  }
});
