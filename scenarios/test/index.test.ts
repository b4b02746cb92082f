import { describe, expect, it } from 'vitest';
import { DEFAULT_SCENARIO, SCENARIO_NAMES, listScenarios, scenarioByName } from '../index.ts';

describe('scenarios', () => {
  it('finds each by its name, the default among them', () => {
    for (const name of SCENARIO_NAMES) expect(scenarioByName(name).name).toBe(name);
    expect(SCENARIO_NAMES).toContain(DEFAULT_SCENARIO);
  });

  it('lists the allowed names when one does not exist', () => {
    expect(() => scenarioByName('bulk-2000')).toThrow(/scenario "bulk-2000".*allowed: bulk-1000/);
  });

  it('repeats each turn of its browsing mix with every kind of request', () => {
    for (const { phases } of listScenarios().filter((scenario) => scenario.kind === 'bulk')) {
      expect(new Set(phases.browse.mix)).toEqual(new Set(['list', 'image', 'picture']));
    }
  });
});
