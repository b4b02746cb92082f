import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { PROVE } from '../../../scenarios/prove.ts';
import type { BulkScenario, ProveScenario } from '../../../scenarios/scenario.ts';
import { hideCredentials } from '../../../service/src/inference/kserve/urls.ts';
import type { RunData } from '../contract.ts';
import { makeImages, readImages } from '../run/images.ts';
import type { ImageSet } from '../images/image-set.ts';
import { blankRunData } from '../run/run-data.ts';
import { poolText, type RunInput } from '../run/run-input.ts';
import { stoppedBy } from '../run/stop.ts';
import { describeTool } from '../run/tool.ts';
import { startWatch } from '../run/watch.ts';
import { guardTarget } from '../targets/guard.ts';
import { wordsOf } from '../targets/target-error.ts';
import type { TargetAbout } from '../targets/target.ts';
import { prove } from './follow.ts';
import { startGround, type ProofGround } from './ground.ts';
import { ledgerOf } from './ledger.ts';
import { createLine } from './line.ts';
import { encodeRecords, RAW_FILE } from './raw.ts';
import { provenBy } from './proven.ts';
import { BUILT_IN, createJournal, type Journal, type ProofRecord } from './records.ts';

/** Far more than a service has to say, and few enough to keep. */
const mostEvents = (images: number): number => 10_000 + 100 * images;

/** What `runProve` does, and under which name its run goes. */
export type ProvePlan = Pick<ProveScenario, 'name' | 'images' | 'upload' | 'batch' | 'follow'>;

/** A bulk run against the service that `--target` names: the same images, and of its budgets those that show from outside. */
export const runBulkOn = (scenario: BulkScenario, startedAt: Date, input: RunInput): Promise<RunData> =>
  runProve({ ...PROVE, name: scenario.name, images: scenario.images }, startedAt, input);

/** The delivery proof of our service, or of the one that `--target` names. */
export async function runProve(scenario: ProvePlan, startedAt: Date, input: RunInput): Promise<RunData> {
  const { progress, options } = input;
  const named = await readImages(options, progress);
  progress.phase('start');
  const ground = await startGround(input);
  const release = options.target === undefined ? () => {} : attributeStrays(ground.name, input);
  try {
    progress.done(ground.name);
    const count = named?.images.length ?? options.count ?? scenario.images.count;
    // Made once somebody is there to take them.
    const images = async () =>
      named ?? (await makeImages({ ...options, scenario }, ground.tempDir, progress, input.stop.signal));
    return await proveOn(ground, { scenario, count, images, startedAt, input });
  } finally {
    release();
    progress.phase('stop');
    await ground.close();
    progress.done();
  }
}

async function proveOn(
  ground: ProofGround,
  given: {
    scenario: ProvePlan;
    count: number;
    images: () => Promise<ImageSet>;
    startedAt: Date;
    input: RunInput;
  },
): Promise<RunData> {
  const { scenario, count, startedAt, input } = given;
  const { options, folder, progress, stop } = input;
  const { signal } = stop;
  const line = createLine();
  const journal = createJournal((record) => record.type !== 'image' && folder.event(record));
  const target = guardTarget(ground.target, {
    name: ground.name,
    signal,
    onBroken: (error) => stop.lost(error.message),
    mostEvents: mostEvents(count),
  });
  const watch = await startWatch({ processes: ground.processes, environment: { servers: ground.servers } });
  let set: ImageSet | undefined;
  let about: TargetAbout = { name: ground.name, address: 'not opened' };
  const first = (): ProofRecord => ({
    type: 'run',
    version: 1,
    tool: tool.version,
    scenario: scenario.name,
    target: { ...about, address: hideCredentials(about.address), adapter: options.target ?? BUILT_IN },
    startedAt: startedAt.toISOString(),
    images: set?.images.length ?? 0,
    seed: options.seed,
    fault: options.fault,
    lateMs: scenario.follow.lateMs,
  });
  const tool = await describeTool();
  let stopped: RunData['stopped'];
  try {
    const config = {
      images: count,
      signal,
      log: (text: string) => progress.line(`${ground.name}: ${text}`),
      through: (url: string) => line.through(url),
    };
    about = await target.open(config);
    set = await given.images();
    begin(journal, first(), set.images);
    const cutsItself = ground.target.cut !== undefined;
    await prove({ target, scenario, set, fault: options.fault, journal, line, signal, progress, cutsItself });
  } catch (error) {
    stopped = stoppedBy(signal.aborted ? signal.reason : error);
    progress.line(`stopped: ${stopped.message}`);
    if (journal.records().length === 0) begin(journal, first(), set?.images ?? []);
  }
  await target.close().catch((error: unknown) => progress.line(wordsOf(error)));
  await line.close();
  journal.end(stopped);
  const { noise, psiCpuSome } = await watch.end();
  await folder.ndjson('raw/processes.ndjson', watch.sampler.series());
  const rawLedger = await writeRaw(folder.path, journal);
  // The same way that whoever judges it again takes.
  const { failedByCode, ...proven } = provenBy(ledgerOf(journal.records()));
  const isForeign = options.target !== undefined;
  const blank = await blankRunData({
    scenario: scenario.name,
    client: options.client,
    seed: options.seed,
    source: set?.source ?? (options.images ? 'directory' : 'synthetic'),
    pool: hideCredentials(poolText(options)),
    startedAt,
    ...(ground.services ? { services: ground.services } : {}),
    psiCpuSome,
    ...(stopped ? { stopped } : {}),
  });
  const { images } = blank;
  const { bytes = 0, sha256OfSet = '' } = set ?? {};
  return {
    ...blank,
    environment: isForeign ? theirEnvironment(blank.environment, about, ground.name) : blank.environment,
    images: { ...images, count: set?.images.length ?? 0, bytes, sha256OfSet, failedByCode },
    ...proven,
    process: watch.sampler.summary(),
    // What runs beside the harness may be the target itself.
    noise: isForeign ? { ...noise, foreignCpuShare: null } : noise,
    rawLedger,
  };
}

function begin(journal: Journal, first: ProofRecord, images: ImageSet['images']): void {
  journal.add(first);
  for (const { name, sha256, sizeBytes } of images) journal.add({ type: 'image', name, sha256, sizeBytes });
}

async function writeRaw(folder: string, journal: Journal): Promise<NonNullable<RunData['rawLedger']>> {
  const bytes = encodeRecords(journal.records());
  await writeFile(join(folder, RAW_FILE), bytes);
  return { file: RAW_FILE, sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
}

/** Nothing is known of what runs there but what its adapter says. */
const theirEnvironment = (
  environment: RunData['environment'],
  { name, version, address }: TargetAbout,
  adapter: string,
): RunData['environment'] => ({
  ...environment,
  postgres: '–',
  redis: '–',
  browser: 'none',
  provider: 'external',
  inference: {
    pool: 'the target’s',
    provider: 'unknown',
    model: version ? `${name} ${version}` : name,
    modelSha256: '',
  },
  notes: [`the target is ${hideCredentials(address)}, by the adapter ${adapter}; this machine is the client’s`],
});

/** An error that no call of the adapter was waiting for, such as that of a socket without a listener, is the target's too. */
function attributeStrays(name: string, { stop }: RunInput): () => void {
  const lost = (error: unknown): void => {
    const stack = error instanceof Error ? (error.stack ?? '') : '';
    const isOurs = stack.includes('/loadtest/src/') && !stack.includes(basename(name));
    if (isOurs) stop.lost(`the harness failed: ${stack}`);
    else stop.lost(`target ${name}: an error that no call was waiting for: ${wordsOf(error)}`);
  };
  process.on('uncaughtException', lost);
  process.on('unhandledRejection', lost);
  return () => {
    process.off('uncaughtException', lost);
    process.off('unhandledRejection', lost);
  };
}
