import type { SoakScenario } from '../../../scenarios/scenario.ts';
import type { RunData } from '../contract.ts';
import type { RunInput } from '../run/run-input.ts';
export function runSoak(_s: SoakScenario, _a: Date, _i: RunInput): Promise<RunData> { throw new Error('todo'); }
