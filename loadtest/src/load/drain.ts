import type { DrainScenario } from '../../../scenarios/scenario.ts';
import type { RunData } from '../contract.ts';
import type { RunInput } from '../run/run-input.ts';
export function runDrain(_s: DrainScenario, _a: Date, _i: RunInput): Promise<RunData> { throw new Error('todo'); }
