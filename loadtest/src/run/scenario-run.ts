import type { RunData } from '../contract.ts';
import { hideCredentials } from '../../../service/src/inference/kserve/urls.ts';
import { EnvironmentError } from '../environment/errors.ts';
import { runBrowse } from '../load/browse.ts';
import { runCapacity } from '../load/capacity.ts';
import { runDrain } from '../load/drain.ts';
import { runEndpoints } from '../load/endpoints.ts';
import { runFairness } from '../load/fairness.ts';
import { runGallery } from '../load/gallery.ts';
import { runPageHour } from '../load/page-hour.ts';
import { runPageStorm } from '../load/page-storm.ts';
import { runOverload } from '../load/overload.ts';
import { runScaleOut } from '../load/scale-out.ts';
import { runSoak } from '../load/soak.ts';
import { runStorm } from '../load/storm.ts';
import { runTenants } from '../load/tenants.ts';
import { runViewer } from '../load/viewer.ts';
import { runFaults } from '../faults/faults-run.ts';
import { runGateProof } from '../gate/gate-run.ts';
import { runBulkOn, runProve } from '../prove/prove-run.ts';
import { runBulk } from './bulk-run.ts';
import { blankRunData } from './run-data.ts';
import { poolText, type RunInput } from './run-input.ts';
import { stoppedBy } from './stop.ts';

/** One run of a scenario by the runner of its kind. */
function runKind(startedAt: Date, input: RunInput): Promise<RunData> {
  const { scenario } = input.options;
  switch (scenario.kind) {
    case 'bulk':
      return (input.options.target === undefined ? runBulk : runBulkOn)(scenario, startedAt, input);
    case 'overload':
      return runOverload(scenario, startedAt, input);
    case 'fairness':
      return runFairness(scenario, startedAt, input);
    case 'drain':
      return runDrain(scenario, startedAt, input);
    case 'soak':
      return runSoak(scenario, startedAt, input);
    case 'browse':
      return runBrowse(scenario, startedAt, input);
    case 'endpoints':
      return runEndpoints(scenario, startedAt, input);
    case 'storm':
      return runStorm(scenario, startedAt, input);
    case 'tenants':
      return runTenants(scenario, startedAt, input);
    case 'gallery':
      return runGallery(scenario, startedAt, input);
    case 'viewer':
      return runViewer(scenario, startedAt, input);
    case 'page-hour':
      return runPageHour(scenario, startedAt, input);
    case 'page-storm':
      return runPageStorm(scenario, startedAt, input);
    case 'faults':
      return runFaults(scenario, startedAt, input);
    case 'capacity':
      return runCapacity(scenario, startedAt, input);
    case 'prove':
      return runProve(scenario, startedAt, input);
    case 'scale':
      return runScaleOut(scenario, startedAt, input);
    case 'gate-proof':
      return runGateProof(scenario, startedAt, input);
  }
}

/**
 * One run of a scenario. A stop in the middle still gives what was measured until then; one before that gives its cause.
 * @throws UsageError, and what is a mistake of the harness itself.
 */
export async function runScenario(input: RunInput): Promise<RunData> {
  const startedAt = new Date();
  try {
    const run = await runKind(startedAt, input);
    const { scenario, target, workers } = input.options;
    // A sweep has many numbers of workers, and of a service that is not ours nobody knows.
    return scenario.kind === 'capacity' || target !== undefined ? run : { ...run, workers };
  } catch (error) {
    const { options, stop } = input;
    const cause: unknown = stop.signal.aborted ? stop.signal.reason : error;
    if (!stop.signal.aborted && !(error instanceof EnvironmentError)) throw error;
    const { scenario, client, seed, images } = options;
    const source = images ? 'directory' : 'synthetic';
    const given = {
      scenario: scenario.name,
      client,
      seed,
      source,
      pool: hideCredentials(poolText(options)),
      startedAt,
      environment: options.environment,
    } as const;
    const stopped = stoppedBy(cause);
    input.progress.line(`stopped: ${stopped.message}`);
    return await blankRunData({ ...given, stopped });
  }
}
