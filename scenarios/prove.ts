/** The delivery proof of a service: ours, or with `--target` anybody's. What is looked at is what a client sees from outside. */
import { PROOF_BUDGETS } from './budgets-proof.ts';
import type { ProveScenario } from './scenario.ts';

export const PROVE: ProveScenario = {
  kind: 'prove',
  name: 'prove',
  title: '1,000 images through a service, a broken connection on the way: each ends once and is told of once, in time',
  images: { count: 1000, quickCount: 100, minSide: 64, maxSide: 160, medianSide: 96, maxCells: 20 },
  upload: { filesPerCall: 20, concurrency: 4 },
  batch: { threshold: 0.5 },
  follow: {
    faultAtShare: 0.4,
    askEveryMs: 1000,
    idsPerCall: 100,
    lateMs: 5000,
    giveUpMs: 15_000,
    stallMs: 60_000,
    settleMs: 2000,
  },
  budgets: PROOF_BUDGETS,
  notApplicable: {},
};
