/** A comparison to be killed: of the stub repository and the base commit in its arguments. Says "pair" after each. */
import { BULK_1000 } from '../../../../scenarios/bulk-1000.ts';
import { runComparison } from '../../../src/compare/run.ts';
import { createProgress } from '../../../src/run/progress.ts';
import { createStop } from '../../../src/run/stop.ts';

const [repository = '', commit = ''] = process.argv.slice(2);
await runComparison({
  options: {
    scenario: BULK_1000,
    base: { name: 'base', ref: 'v1', commit },
    head: { name: 'head', ref: 'working tree', commit: 'HEAD' },
    pairs: 50,
    images: 4,
    seed: 1,
    workers: 1,
    pool: 'local',
    minutes: 5,
    repository,
  },
  progress: createProgress({ write: () => true }),
  stop: createStop(),
  onTriple: () => process.stdout.write('pair\n'),
  onImages: () => {},
});
