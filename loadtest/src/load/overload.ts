import type { OverloadScenario } from '../../../scenarios/scenario.ts';
import type { Measurement, RunData } from '../contract.ts';
import type { RunInput } from '../run/run-input.ts';
import { countShed } from './shed-counts.ts';
import { runLoad, type Load } from './load-run.ts';
import type { GeneratorReport } from './generator-protocol.ts';
import { timed, whyShort } from './pacing.ts';
import { recoveryMs } from './recovery.ts';
import { countEnded, seedProject } from './simulated.ts';
import { measureSockets } from './sockets.ts';
import { awaitBatch, createTraffic, failures, mixOf, perSecond, startBatch } from './traffic.ts';

const SIDE = 256;

export function runOverload(scenario: OverloadScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  const plan = { simulatedMs: 5 };
  return runLoad({ scenario, plan, startedAt, input }, (load) => overload(scenario, load));
}

interface Parts {
  peak: number;
  light: GeneratorReport;
  over: GeneratorReport;
  after: GeneratorReport;
}

async function overload({ phases }: OverloadScenario, load: Load): Promise<void> {
  const { input, fleet, sampler } = load;
  const { quick, seed } = input.options;
  const lengthOf = ({ durationMs, quickMs }: { durationMs: number; quickMs: number }) => (quick ? quickMs : durationMs);
  const images = input.options.count ?? 200;
  load.images = images;
  const api = await load.start('api');
  await Promise.all([load.start('relay'), load.start('worker')]);
  const target = { url: api.url!, key: fleet.key };
  const project = await load.phase('results to read', async () => {
    const seeded = await seedProject(fleet.sql, { name: 'overload', images, side: SIDE, seed });
    await awaitBatch(load, (await startBatch(target, seeded.projectId)).id);
    return seeded;
  });
  load.delivery = { submitted: images, ...(await countEnded(fleet.sql)) };
  const send = createTraffic(load, target, mixOf(phases, project));

  const rates = await load.phase(
    'capacity',
    async () => {
      await send({ load: { kind: 'closed', concurrency: 4 }, durationMs: phases.warmMs });
      const found: { concurrency: number; report: GeneratorReport }[] = [];
      for (const concurrency of phases.capacity.concurrency)
        found.push({
          concurrency,
          report: await send({ load: { kind: 'closed', concurrency }, durationMs: lengthOf(phases.capacity) }),
        });
      return found;
    },
    (found) => `${Math.round(Math.max(...found.map(({ report }) => perSecond(report))))} requests/s`,
  );
  const peak = Math.max(...rates.map(({ report }) => perSecond(report)));
  const lightLoad = { kind: 'open', perSecond: peak * phases.light.share } as const;
  const light = await load.phase('light load', () => send({ load: lightLoad, durationMs: lengthOf(phases.light) }));
  const before = sampler.latest('api');
  const shedBefore = await countShed(api.metricsUrl);
  const beganMs = Date.now();
  const over = await load.phase(
    'overload',
    () =>
      send({
        load: { kind: 'open', perSecond: peak * phases.overload.times },
        durationMs: lengthOf(phases.overload),
        bucketMs: 1000,
        settleMs: phases.overload.settleMs,
      }),
    ({ ok, refused, intended }) => `${ok} answered and ${refused} refused of ${intended}`,
  );
  const shed = await countShed(api.metricsUrl);
  const { durationMs, windowMs } = phases.recovery;
  const after = await load.phase('recovery', () => send({ load: lightLoad, durationMs, bucketMs: windowMs }));
  const growth = sampler.growthSince('api', before, beganMs);
  judge(load, phases, { peak, light, over, after }, growth);
  load.tables.push(loadTable(rates, { peak, light, over, after }));
  load.tables.push({
    title: 'Refused by the service',
    note: 'segbench_shed_requests_total during the overload',
    columns: [{ name: 'reason' }, { name: 'class' }, { name: 'requests', unit: 'count' }],
    rows: shed.map(({ reason, kind, count }) => [
      reason,
      kind,
      count - (shedBefore.find((one) => one.reason === reason && one.kind === kind)?.count ?? 0),
    ]),
  });
  plot(load, { peak, light, over, after });
  await measureSockets(load, phases.sockets, { target, project, send, perSecond: peak * phases.light.share, api });
}

/** What the loads come to. Pure but for where it puts it. */
export function judge(
  load: Pick<Load, 'measurements'>,
  phases: Pick<OverloadScenario['phases'], 'recovery'>,
  parts: Parts,
  growth: number,
): void {
  const { peak, light, over, after } = parts;
  const short =
    whyShort(over.sent, over.intended, over.lagP99Ms) ?? whyShort(light.sent, light.intended, light.lagP99Ms);
  const measured = (actual: number | null, note?: string): Measurement => ({
    actual,
    ...(note ? { note } : {}),
    ...(short ? { weakened: short } : {}),
  });
  const { settled } = over.hdr;
  const { ok } = light.hdr;
  const ratio = over.settledP99Ms !== null && light.p99Ms !== null ? over.settledP99Ms / light.p99Ms : null;
  const recovered = recoveryMs(after.buckets, { ...phases.recovery, p50Ms: light.p50Ms });
  Object.assign(load.measurements, {
    overload_goodput_ratio: timed(perSecond(over) / peak, `${Math.round(perSecond(over))} answers/s`, short),
    overload_p99_ratio: {
      ...timed(ratio, `${over.settledP99Ms?.toFixed(1)} ms, light load ${light.p99Ms?.toFixed(1)} ms`, short),
      ...(settled && ok ? { percentile: { q: 0.99, hdr: settled, over: { q: 0.99, hdr: ok } } } : {}),
    },
    overload_other_answers: measured(
      failures(over) + failures(after),
      Object.entries(over.failed)
        .map(([name, count]) => `${name}: ${count}`)
        .join(', '),
    ),
    overload_rss_growth_bytes: measured(growth),
    overload_recovery_ms: timed(
      recovered ?? phases.recovery.durationMs,
      recovered === null ? 'it did not recover' : '',
      whyShort(after.sent, after.intended, after.lagP99Ms) ?? short,
    ),
  });
}

function loadTable(rates: { concurrency: number; report: GeneratorReport }[], { light, over, after }: Parts) {
  const row = (name: string, report: GeneratorReport) => [
    name,
    (report.sent / Math.max(1, report.tookMs)) * 60_000,
    perSecond(report) * 60,
    report.refused,
    failures(report),
    report.p50Ms,
    report.p99Ms,
    report.refusedP99Ms,
    report.lagP99Ms,
  ];
  return {
    title: 'Loads',
    note: 'Latency from the intended start of a request; an open loop does not wait for answers, a closed one does.',
    columns: [
      { name: 'load' },
      { name: 'sent', unit: 'per-minute' as const },
      { name: 'answered', unit: 'per-minute' as const },
      { name: 'refused', unit: 'count' as const },
      { name: 'other', unit: 'count' as const },
      { name: 'p50', unit: 'ms' as const },
      { name: 'p99', unit: 'ms' as const },
      { name: 'p99 of refusals', unit: 'ms' as const },
      { name: 'lag of the generator, p99', unit: 'ms' as const },
    ],
    rows: [
      ...rates.map(({ concurrency, report }) => row(`closed loop, ${concurrency} at a time`, report)),
      row('light, open loop', light),
      row('overload, open loop', over),
      row('afterwards, open loop', after),
    ],
  };
}

function plot(load: Load, { peak, over }: Parts): void {
  const rate = (pick: 'ok' | 'refused') => over.buckets.map((one): [number, number] => [one.atMs, one[pick] * 60]);
  load.plots.push({
    title: 'Answers during the overload',
    note: 'By intended start, in seconds.',
    x: { name: 'time', unit: 'ms' },
    y: { name: 'requests', unit: 'per-minute', limit: peak * 60 },
    series: [
      { name: 'answered', points: rate('ok') },
      { name: 'refused', points: rate('refused') },
    ],
  });
  const points = over.buckets.flatMap((one): [number, number][] => (one.p99Ms === null ? [] : [[one.atMs, one.p99Ms]]));
  load.plots.push({
    title: 'Latency of accepted requests during the overload, p99',
    x: { name: 'time', unit: 'ms' },
    y: { name: 'latency', unit: 'ms' },
    series: [{ name: 'p99', points }],
  });
}
