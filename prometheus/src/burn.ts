import { budgetOf } from '../../scenarios/budgets.ts';
import {
  alertNameOf,
  LIVE_BUDGETS,
  limitOf,
  type LevelBudget,
  type LiveBudget,
  type ShareBudget,
} from './live-budgets.ts';
import { runbookOf, type AlertRule, type RecordingRule, type RuleOptions } from './rule.ts';

/**
 * Windows and rates of the Site Reliability Workbook, chapter 5, table 5-8: at rate 1 the whole budget of 30 days is spent in 30 days.
 * Both windows must be over: the long one that it matters, the short one that it goes on.
 */
const PAIRS = [
  { burn: 'fast', long: '1h', longHours: 1, short: '5m', rate: 14.4 },
  { burn: 'fast', long: '6h', longHours: 6, short: '30m', rate: 6 },
  { burn: 'slow', long: '1d', longHours: 24, short: '2h', rate: 3 },
  { burn: 'slow', long: '3d', longHours: 72, short: '6h', rate: 1 },
] as const;
type Pair = (typeof PAIRS)[number];

/** Fewer events than those of which the budget itself allows five to be bad say nothing: one bad one would be a large share. */
const LEAST_BAD = 5;

const EVENTS = 'segbench:budget_events:rate5m';
const BAD = 'segbench:budget_bad:rate5m';
const round = (value: number): number => Number(value.toPrecision(6));

/** Windows that a budget can exceed at all: of one that allows a tenth to be bad, 14.4 times that is more than everything. */
export const pairsOf = ({ objective }: ShareBudget): Pair[] => PAIRS.filter(({ rate }) => rate * (1 - objective) < 1);

export function leastEvents({ objective, leastAnHour = 0 }: ShareBudget, hours: number): number {
  return Math.max(Math.round(LEAST_BAD / (1 - objective)), leastAnHour * hours);
}

/** The rates that every window is made of: a range of days is then read from one series. */
export function recordingRules(budget: ShareBudget): RecordingRule[] {
  const labels = { budget: budget.budgets[0] };
  return [
    { record: EVENTS, expr: budget.events('5m'), labels },
    { record: BAD, expr: budget.bad('5m'), labels },
  ];
}

function exceeded(budget: ShareBudget, { long, longHours, short, rate }: Pair): string {
  const share = (range: string) => {
    const of = (name: string) => `${name}{budget="${budget.budgets[0]}"}`;
    return range === '5m'
      ? `${of(BAD)} / ${of(EVENTS)}`
      : `sum_over_time(${of(BAD)}[${range}]) / sum_over_time(${of(EVENTS)}[${range}])`;
  };
  const most = round(rate * (1 - budget.objective));
  return [
    `  ${share(long)} > ${most}`,
    `and ${share(short)} > ${most}`,
    `and on () ${budget.counted(long)} >= ${leastEvents(budget, longHours)}`,
  ].join('\n  ');
}

const percent = (share: number): string => `${round(share * 100)} %`;

function burnAlerts(budget: ShareBudget, options: RuleOptions): AlertRule[] {
  const alert = alertNameOf(budget);
  const [name] = budget.budgets;
  return (['fast', 'slow'] as const).flatMap((burn) => {
    const pairs = pairsOf(budget).filter((pair) => pair.burn === burn);
    if (pairs.length === 0) return [];
    const windows = pairs.map(({ long, rate }) => `${rate} times in ${long}`).join(', or ');
    return {
      alert,
      expr: pairs.map((pair) => `(\n  ${exceeded(budget, pair)}\n)`).join('\nor\n'),
      labels: { severity: 'ticket' as const, burn, budget: name },
      annotations: {
        summary: `${budget.title}: {{ $value | humanizePercentage }} miss ${name}, ${percent(1 - budget.objective)} may`,
        description: `${budgetOf(name).description}. More is over the limit than the budget allows: ${windows}.`,
        runbook_url: runbookOf(options, alert),
      },
    };
  });
}

function levelAlert(budget: LevelBudget, options: RuleOptions): AlertRule {
  const alert = alertNameOf(budget);
  const [name] = budget.budgets;
  const spec = budgetOf(name);
  // what the budget demands holds, and the alert is its opposite
  const opposite = { '<': '>=', '<=': '>', '>=': '<', '=': '!=' }[spec.operator];
  const guard = budget.provided === undefined ? '' : `\nand on ()\n  ${budget.provided}`;
  return {
    alert,
    expr: `  ${budget.value(budget.range)} ${opposite} ${limitOf(spec)}${guard}`,
    for: `${budget.forMinutes}m`,
    labels: { severity: 'ticket', budget: name },
    annotations: {
      summary: `${budget.title}: ${name} is {{ $value | humanize }}, the limit is ${limitOf(spec)}`,
      description: `${spec.description}.${budget.caveat === undefined ? '' : ` ${budget.caveat}`}`,
      runbook_url: runbookOf(options, alert),
    },
  };
}

export const isShare = (budget: LiveBudget): budget is ShareBudget => budget.kind === 'share';

export const budgetAlerts = (options: RuleOptions): AlertRule[] =>
  LIVE_BUDGETS.flatMap((budget) => (isShare(budget) ? burnAlerts(budget, options) : levelAlert(budget, options)));
