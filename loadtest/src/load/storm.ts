import { EVENT_WINDOW_MAX, EVENT_WINDOW_MS } from '#contract/events.ts';
import type { StormScenario } from '../../../scenarios/scenario.ts';
import type { RunData } from '../contract.ts';
import { delaysOf, readEnds } from '../measure/batch-identities.ts';
import { toldAfterEnd } from '../measure/identities.ts';
import { percentileOf } from '../measure/percentile.ts';
import type { RunInput } from '../run/run-input.ts';
import { pause } from '../run/stop.ts';
import { runLoad, type Load } from './load-run.ts';
import { countEnded, seedProject } from './simulated.ts';
import { openStormReader, type StormReader } from './storm-reader.ts';
import { awaitBatch, startBatch } from './traffic.ts';

const SIDE = 64;
/** What is still on its way when the last image has ended. */
const LAST_MS = 10_000;

export function runStorm(scenario: StormScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  const plan = { simulatedMs: scenario.phases.imageMs };
  return runLoad({ scenario, plan, startedAt, input }, (load) => storm(scenario, load));
}

async function storm({ images: { count }, phases }: StormScenario, load: Load): Promise<void> {
  const { fleet, sampler, signal } = load;
  const { options, progress } = load.input;
  const images = options.count ?? count;
  load.images = images;
  const api = await load.start('api');
  await Promise.all([load.start('relay'), load.start('worker')]);
  const target = { url: api.url!, key: fleet.key };
  const project = await load.phase('rows of images', () =>
    seedProject(fleet.sql, { name: 'storm', images, side: SIDE, seed: options.seed }),
  );
  const { projectId } = project;
  const indexOf = new Map(project.imageIds.map((id, index) => [id, index]));
  const readers = Array.from({ length: phases.readers }, () => openStormReader({ ...target, projectId, indexOf }));
  try {
    while (!readers.every((reader) => reader.isOpen())) await pause(20, signal);
    const rss = sampler.latest('api');
    const cpu = sampler.cpu();
    const beganMs = Date.now();
    const batchId = await load.phase(
      'storm',
      async () => {
        const { id } = await startBatch(target, projectId);
        let whole = true;
        const onDone = (done: number) => {
          progress.update(done);
          if (!whole || done < images / 2) return;
          whole = false;
          for (const reader of readers.filter((_, index) => index % 2 === 0)) reader.cut();
        };
        await awaitBatch(load, id, { onDone });
        await heardOf(readers, images, signal);
        return id;
      },
      () => `${Math.round(images / ((Date.now() - beganMs) / 1000))} images/s to each of ${readers.length} readers`,
    );
    const tookMs = Date.now() - beganMs;
    const growth = sampler.growthSince('api', rss, beganMs);
    const spent = sampler.cpu();
    const cpuMs = ((spent.byRole['api'] ?? 0) - (cpu.byRole['api'] ?? 0)) * 1000;
    // From an image's end to its arrival at each reader; those that were cut off have an outage in theirs.
    const ends = await readEnds(fleet.sql, batchId);
    const whole = readers.filter((reader) => reader.cuts() === 0);
    const delays = whole.flatMap(({ tally }) => delaysOf(ends, tally.toldAt));
    load.checks.add([toldAfterEnd(delays)].filter((one) => one !== null));
    judge(load, readers, { growth, delays });
    load.delivery = {
      submitted: images,
      ...(await countEnded(fleet.sql)),
      terminalEventsReceived: Math.min(...readers.map(({ tally }) => tally.count.heard)),
      missing: load.measurements.storm_events_missing?.actual ?? 0,
      duplicates: load.measurements.storm_duplicates?.actual ?? 0,
      sequenceGaps: load.measurements.storm_sequence_gaps?.actual ?? 0,
    };
    load.tables.push(tableOf(readers, { images, tookMs, cpuMs }));
  } finally {
    for (const reader of readers) reader.close();
  }
}

/** Until every reader has heard of every image, or nothing more comes. */
async function heardOf(readers: readonly StormReader[], images: number, signal: AbortSignal): Promise<void> {
  const until = Date.now() + LAST_MS;
  while (Date.now() < until && readers.some(({ tally }) => tally.count.heard < images)) await pause(50, signal);
  // one that is told twice is told late
  await pause(3 * EVENT_WINDOW_MS, signal);
}

function judge(load: Load, readers: readonly StormReader[], of: { growth: number; delays: readonly number[] }): void {
  const sum = (pick: (reader: StormReader) => number) => readers.reduce((total, reader) => total + pick(reader), 0);
  const cut = readers.filter((reader) => reader.cuts() > 0).length;
  const weakened = cut > 0 ? {} : { weakened: 'no reader was cut off: the storm was over too soon' };
  const note = `${readers.length} readers, ${cut} of them cut off on the way`;
  Object.assign(load.measurements, {
    storm_events_missing: { actual: sum(({ tally }) => tally.missing()), note, ...weakened },
    storm_duplicates: { actual: sum(({ tally }) => tally.duplicates()), note, ...weakened },
    storm_sequence_gaps: { actual: sum((reader) => reader.gaps()), ...weakened },
    storm_frames_ratio: {
      actual: Math.max(...readers.map(({ tally }) => tally.framesRatio(EVENT_WINDOW_MS, EVENT_WINDOW_MAX))),
    },
    storm_delivery_p99_ms: percentileOf(of.delays, 0.99) ?? { actual: null },
    storm_rss_growth_bytes: { actual: of.growth },
  });
}

function tableOf(readers: readonly StormReader[], run: { images: number; tookMs: number; cpuMs: number }) {
  const perEvent =
    (run.cpuMs * 1000) /
    Math.max(
      1,
      readers.reduce((sum, { tally }) => sum + tally.count.events, 0),
    );
  return {
    title: 'Readers',
    note: `${run.images} images in ${(run.tookMs / 1000).toFixed(1)} s. The API spent ${perEvent.toFixed(1)} µs of CPU time an event and reader.`,
    columns: [
      { name: 'reader', unit: 'count' as const },
      { name: 'events', unit: 'count' as const },
      { name: 'frames', unit: 'count' as const },
      { name: 'cut off', unit: 'count' as const },
      { name: 'missed', unit: 'count' as const },
      { name: 'twice', unit: 'count' as const },
    ],
    rows: readers.map((reader, index) => [
      index + 1,
      reader.tally.count.events,
      reader.tally.count.frames,
      reader.cuts(),
      reader.tally.missing(),
      reader.tally.duplicates(),
    ]),
  };
}
