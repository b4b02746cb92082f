import { budgetAlerts, isShare, recordingRules } from './burn.ts';
import { LIVE_BUDGETS } from './live-budgets.ts';
import { DEFAULTS, duration, type RuleGroup, type RuleOptions } from './rule.ts';
import { ticketAlerts } from './tickets.ts';
import { wakingAlerts } from './wake.ts';

/** Rule files by name. */
export function ruleFiles(options: RuleOptions = DEFAULTS): Record<string, RuleGroup[]> {
  const interval = (seconds: number) => duration(seconds / options.hurry);
  return {
    'recording.yml': [
      {
        name: 'segbench-budget-rates',
        interval: interval(30),
        rules: LIVE_BUDGETS.filter(isShare).flatMap(recordingRules),
      },
    ],
    'budgets.yml': [{ name: 'segbench-budgets', interval: interval(30), rules: budgetAlerts(options) }],
    'wake.yml': [{ name: 'segbench-wake', interval: interval(15), rules: wakingAlerts(options) }],
    'tickets.yml': [{ name: 'segbench-tickets', interval: interval(30), rules: ticketAlerts(options) }],
  };
}
