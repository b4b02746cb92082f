import type { CompareSection, CountDecision, MetricDecision, StageMove } from '../compare/contract.ts';
import type { ResultFile } from '../contract.ts';
import { shareOf, type Advice, type Bottleneck, type Step } from './advice-rules.ts';
import { formatValue } from './format.ts';
import { sharesOf } from './way.ts';

const MOST_MOVED = 3;

/** The same for head against base: what grew past its limit, where the growth sits, and how to tell what this run could not. */
export function compareAdvice(compare: CompareSection, stopped: ResultFile['stopped']): Advice {
  const { metrics, counts, stages } = compare;
  const grown = metrics.filter(({ verdict }) => verdict === 'regression');
  const more = counts.filter(({ verdict }) => verdict === 'regression');
  const open = [...metrics, ...counts].filter(({ verdict }) => verdict === 'inconclusive');
  return {
    targets: [...grown.map(metricTarget), ...more.map(countTarget)],
    bottlenecks: bottlenecksOf(stages),
    steps: [
      ...(stopped ? [{ what: `run it again: it ended early (${stopped.message})`, gain: 'a verdict' }] : []),
      ...grown.map((metric) => grownStep(metric, compare)),
      ...more.map(countStep),
      ...(open.length > 0
        ? [
            {
              what: `run it again, alone on the machine: ${open.map(({ name }) => name).join(', ')} could not be told`,
              gain: 'a verdict',
            },
          ]
        : []),
    ],
    quick: open.length > 0 && !stopped ? morePairs(compare) : [],
    nothing: 'Nothing: head is not worse than base.',
  };
}

/** Of head: stages by their share of an image's time, then roles by theirs of its CPU time. */
function bottlenecksOf(moves: CompareSection['stages']): Bottleneck[] {
  const shares = (kind: StageMove['kind'], but = '') =>
    sharesOf(moves.flatMap((one) => (one.kind === kind && one.name !== but ? [[one.name, one.nowMs]] : [])));
  const after = shares('stage', 'wait');
  return [
    ...shares('stage').map(({ stage, share }) => ({
      stage,
      time: share,
      afterQueue: shareOf(after, stage),
      cpu: null,
    })),
    ...shares('cpu').map(({ stage, share }) => ({
      stage: `process ${stage}`,
      time: null,
      afterQueue: null,
      cpu: share,
    })),
  ];
}

const percent = (ratio: number): string => formatValue(ratio - 1, 'ratio');

const metricTarget = ({ name, unit, base, now, ratio, limit }: MetricDecision): Advice['targets'][number] => ({
  name,
  now: `${formatValue(now, unit)}, base ${formatValue(base, unit)}`,
  target: `growth < ${percent(1 + limit)}`,
  gap: `${percent(ratio)} of growth`,
});

const countTarget = ({ name, unit, now, limit }: CountDecision): Advice['targets'][number] => ({
  name,
  now: formatValue(now, unit),
  target: `<= ${formatValue(limit, unit)}`,
  gap: now === null || limit === null ? '–' : `${formatValue(now - limit, unit)} beyond`,
});

/** A growth sits where stages or roles moved by most. */
function grownStep({ name, ratio, limit }: MetricDecision, { stages }: CompareSection): Step {
  const moved = stages.filter((one) => one.moved && one.nowMs > one.baseMs).slice(0, MOST_MOVED);
  const where = moved.map(
    (one) => `${one.kind === 'cpu' ? 'CPU of ' : 'stage '}${one.name} (+${formatValue(one.nowMs - one.baseMs, 'ms')})`,
  );
  return {
    what: `${name} grew by ${percent(ratio)}: ${where.length > 0 ? `look at ${where.join(', ')}` : 'no stage moved by itself; look at what runs beside them'}`,
    gain: `${percent(ratio / (1 + limit))} less is within the limit again`,
  };
}

const countStep = ({ name, unit, base, now, why }: CountDecision): Step => ({
  what: `${name}: ${why || 'all of head’s blocks were above all of base’s'}; counts need no clock, so the commit that changed it is found by npm run compare on the commits between`,
  gain: now === null || base === null ? 'as before' : `${formatValue(now - base, unit)} less is as before`,
});

/** Where all planned pairs were measured more would help, else the time for them. */
const morePairs = ({ plannedPairs, pairs }: CompareSection): Advice['quick'] =>
  pairs < plannedPairs
    ? [
        {
          setting: '--minutes',
          what: `raise it: ${pairs} of ${plannedPairs} pairs had time`,
          gain: 'all planned looks',
        },
      ]
    : [
        {
          setting: `--blocks ${plannedPairs * 2}`,
          what: `${pairs} pairs were too few`,
          gain: 'twice as many see growth of 0.7 of what was seen now (1/√2)',
        },
      ];
