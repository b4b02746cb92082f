import { BROWSE } from './browse.ts';
import { BULK_1000 } from './bulk-1000.ts';
import {
  BULK_10000,
  BULK_1000_DENSE,
  BULK_1000_SLOW_PAGE,
  DOWNLOADS,
  MIXED_SIZES,
  REAL_IMAGES,
} from './bulk-variants.ts';
import { CAPACITY } from './capacity.ts';
import { DRAIN } from './drain.ts';
import { ENDPOINTS } from './endpoints.ts';
import { FAIRNESS } from './fairness.ts';
import { FAULTS } from './faults.ts';
import { GALLERY_100K } from './gallery-100k.ts';
import { GATE_PROOF } from './gate-proof.ts';
import { OVERLOAD } from './overload.ts';
import { PAGE_HOUR } from './page-hour.ts';
import { PAGE_STORM } from './page-storm.ts';
import { PROVE } from './prove.ts';
import type { Scenario } from './scenario.ts';
import { SCALE_OUT } from './scale-out.ts';
import { SOAK } from './soak.ts';
import { EVENTS_STORM } from './events-storm.ts';
import { MULTI_TENANT } from './multi-tenant.ts';
import { VIEWER } from './viewer.ts';

export type { BulkScenario, FaultsScenario, Scenario, ScenarioKind } from './scenario.ts';

const SCENARIOS: readonly Scenario[] = [
  BULK_1000,
  BULK_1000_SLOW_PAGE,
  BULK_1000_DENSE,
  BULK_10000,
  MIXED_SIZES,
  REAL_IMAGES,
  DOWNLOADS,
  FAULTS,
  OVERLOAD,
  FAIRNESS,
  DRAIN,
  SOAK,
  EVENTS_STORM,
  GALLERY_100K,
  VIEWER,
  PAGE_HOUR,
  PAGE_STORM,
  MULTI_TENANT,
  SCALE_OUT,
  BROWSE,
  ENDPOINTS,
  CAPACITY,
  PROVE,
  GATE_PROOF,
];

export const DEFAULT_SCENARIO = BULK_1000.name;
export const SCENARIO_NAMES: readonly string[] = SCENARIOS.map((scenario) => scenario.name);

export function listScenarios(): readonly Scenario[] {
  return SCENARIOS;
}

/** @throws RangeError that lists the allowed names. */
export function scenarioByName(name: string): Scenario {
  const scenario = SCENARIOS.find((candidate) => candidate.name === name);
  if (scenario === undefined) {
    throw new RangeError(`scenario "${name}" does not exist; allowed: ${SCENARIO_NAMES.join(', ')}`);
  }
  return scenario;
}
