/** Whether verdicts of `npm run compare` can be believed: false alarms and power, on recorded noise and for real. */
import { GATE_BUDGETS } from './budgets-gate.ts';
import type { GateProofScenario } from './scenario.ts';

export const GATE_PROOF: GateProofScenario = {
  kind: 'gate-proof',
  name: 'gate-proof',
  title: 'the gate itself: one program against itself and against each planted growth, on recorded noise and for real',
  images: { count: 200, quickCount: 50 },
  phases: { pairs: 30, quickPairs: 5, minutes: 14, same: 10, quickSame: 1 },
  budgets: GATE_BUDGETS,
  notApplicable: {},
};
