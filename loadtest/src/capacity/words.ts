import { formatCount } from '../report/format.ts';
import { digits, formatDuration, formatFigure, withEnds } from '../report/plan-format.ts';
import type { Plan } from './plan.ts';

/** `1 worker`, `3 workers`. */
export const workersWords = (count: number): string => `${formatCount(count)} ${count === 1 ? 'worker' : 'workers'}`;

/** The answer as somebody would say it, the first sentence able to stand alone. */
export function wordsOf(plan: Omit<Plan, 'words'>): string[] {
  return [answer(plan), ...splitting(plan), ...taking(plan), ...binding(plan), ...beyond(plan), ...trust(plan)];
}

function load({ question, ground: { images } }: Omit<Plan, 'words'>): string {
  const kind = `${formatCount(question.images)} images of ${images.side}² pixels and about ${images.cells} cells`;
  const spread =
    question.p99Ms === null ? '' : ` that come evenly, each to end within ${formatDuration(question.p99Ms)} (p99),`;
  return `${kind}${spread} within ${formatDuration(question.deadlineMs)}`;
}

function answer(plan: Omit<Plan, 'words'>): string {
  const { verdict, workers, ground } = plan;
  const simulated = ground.simulated ? 'Simulated: ' : '';
  if (verdict === 'illustrative')
    return `No answer to buy by: ${ground.illustrative}. What follows only shows how it works.`;
  if (verdict === 'impossible')
    return `${simulated}${load(plan)}: no number of workers does it: ${workers.source.split('; ')[0]}.`;
  const many = workers.value === 1 ? 'worker' : 'workers';
  return `${simulated}${load(plan)} need ${withEnds(workers)} ${many}.`;
}

function splitting({ split }: Omit<Plan, 'words'>): string[] {
  if (split === null) return [];
  const { services, workersEach } = split;
  return [
    `${formatFigure(services)} services side by side would, each with a queue and a database of its own and ${workersWords(workersEach.value ?? 0)}.`,
  ];
}

function taking({ verdict, tookMs, question, tail, cost }: Omit<Plan, 'words'>): string[] {
  if (verdict !== 'answered') return [];
  const time =
    question.p99Ms === null
      ? `They take ${withEnds(tookMs)}.`
      : `Of a hundred, ninety-nine end ${formatFigure(tail!.p99Ms)} after they came, in the simulation.`;
  const money =
    cost === null
      ? []
      : [
          `It costs ${withEnds(cost.total, cost.currency)}, ${formatFigure(cost.perThousand, cost.currency)} per 1,000 images.`,
        ];
  return [time, ...money];
}

function binding({ stages: [first, second], verdict }: Omit<Plan, 'words'>): string[] {
  if (verdict !== 'answered' || first === undefined || second === undefined) return [];
  const [low, high] = [first.capacity.value, second.capacity.value];
  const further = low !== null && high !== null ? `, at ${digits(high / low)} times the rate` : '';
  return [
    `What binds: ${first.what} (${formatFigure(first.capacity)}). Next: ${second.what} (${formatFigure(second.capacity)})${further}.`,
  ];
}

function beyond({ workers, tookMs, verdict }: Omit<Plan, 'words'>): string[] {
  const why = verdict === 'answered' ? (workers.outside ?? tookMs.outside) : undefined;
  return why === undefined ? [] : [`Outside what was measured: ${why}.`];
}

const trust = ({ ground }: Omit<Plan, 'words'>): string[] => ground.notes.map((note) => `Note: ${note}.`);
