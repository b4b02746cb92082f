import type { ResultFile } from '../contract.ts';

export interface NoiseOnly {
  /** What this machine was too busy to tell, a sentence each. */
  open: string[];
  /** Why the run is no pass whatever the machine was, a sentence each. */
  wrong: string[];
}

/** Notes of a budget that a busy machine alone explains: `judgeBudgets` on clocks and floors, and a load whose generator came late. */
const MACHINE = [
  /over the limit by less than .* while /,
  /proves nothing: the generator started its requests \d+ ms late/,
];

/** What of a run that did not pass is a busy machine's, and what is not: contradictions, what was not measured, and what proves nothing. */
export function noiseOnly({ verdict, budgets, notes }: Pick<ResultFile, 'verdict' | 'budgets' | 'notes'>): NoiseOnly {
  if (verdict === 'pass') return { open: [], wrong: [] };
  if (verdict !== 'inconclusive') return { open: [], wrong: [`the verdict is ${verdict}`] };
  const undecided = budgets.filter((budget) => budget.verdict === 'inconclusive' || budget.verdict === 'not-run');
  const isNoise = ({ note = '' }: (typeof budgets)[number]) => MACHINE.some((words) => words.test(note));
  const words = ({ name, verdict: of, note = of }: (typeof budgets)[number]) => `${name}: ${note}`;
  const wrong = [
    ...notes.filter((note) => note.startsWith('contradiction: ')),
    ...undecided.filter((budget) => !isNoise(budget)).map(words),
  ];
  return {
    open: undecided.filter(isNoise).map(words),
    wrong: undecided.length + wrong.length > 0 ? wrong : ['it is inconclusive, and no budget is'],
  };
}
