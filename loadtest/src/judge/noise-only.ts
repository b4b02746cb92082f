import type { ResultFile } from '../contract.ts';

export interface NoiseOnly {
  /** What this machine was too busy to tell, a sentence each. */
  open: string[];
  /** Why the run is no pass whatever the machine was, a sentence each. */
  wrong: string[];
}

/** What of a run that did not pass is a busy machine's, and what is not: contradictions, what was not measured, and what proves nothing. */
export function noiseOnly({ verdict, budgets, notes }: Pick<ResultFile, 'verdict' | 'budgets' | 'notes'>): NoiseOnly {
  if (verdict === 'pass') return { open: [], wrong: [] };
  if (verdict !== 'inconclusive') return { open: [], wrong: [`the verdict is ${verdict}`] };
  const undecided = budgets.filter((budget) => budget.verdict === 'inconclusive' || budget.verdict === 'not-run');
  const isNoise = ({ verdict: of, note = '' }: (typeof budgets)[number]) =>
    of === 'inconclusive' && note.includes('over the limit by less than') && note.includes(' while ');
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
