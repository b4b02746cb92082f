import { budgetAlerts, isShare, recordingRules } from './burn.ts';
import { LIVE_BUDGETS } from './live-budgets.ts';
import { DEFAULTS, type RuleGroup, type RuleOptions } from './rule.ts';
import { wakingAlerts } from './wake.ts';

/** Rule files by name. */
export function ruleFiles(options: RuleOptions = DEFAULTS): Record<string, RuleGroup[]> {
  return {
    'recording.yml': [
      { name: 'segbench-budget-rates', interval: '30s', rules: LIVE_BUDGETS.filter(isShare).flatMap(recordingRules) },
    ],
    'budgets.yml': [{ name: 'segbench-budgets', interval: '30s', rules: budgetAlerts(options) }],
    'wake.yml': [{ name: 'segbench-wake', interval: '15s', rules: wakingAlerts(options) }],
  };
}
