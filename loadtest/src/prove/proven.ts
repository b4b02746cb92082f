import { PROVE } from '../../../scenarios/prove.ts';
import type { RunData } from '../contract.ts';
import { bulkMeasurements } from './bulk-measures.ts';
import { identitiesOfProof } from './identities.ts';
import { judgeProof } from './judge.ts';
import type { ProofLedger } from './ledger.ts';
import { plotsOf, tablesOf } from './tables.ts';
import { phasesOf, stageTimes, summariesOf } from './times.ts';

/** What the records of a run say of it, judged or not: everything but the machine it ran on. */
export function provenBy(ledger: ProofLedger): Pick<
  RunData,
  'measurements' | 'delivery' | 'stages' | 'phases' | 'tables' | 'plots' | 'identities'
> & {
  failedByCode: Record<string, number>;
} {
  const judgement = judgeProof(ledger);
  const { delivery, failedByCode } = judgement;
  const isProof = ledger.run.scenario === PROVE.name;
  const measurements = isProof ? judgement.measurements : bulkMeasurements(ledger, judgement);
  return {
    measurements,
    delivery,
    failedByCode,
    stages: summariesOf(stageTimes(ledger)),
    phases: phasesOf(ledger),
    tables: tablesOf(ledger, judgement),
    plots: plotsOf(ledger),
    identities: identitiesOfProof(ledger),
  };
}
