import { addressOf } from '#contract/client.ts';
import type { TenantsScenario } from '../../../scenarios/scenario.ts';
import type { RunData } from '../contract.ts';
import { createHttpClient } from '../drivers/http-client.ts';
import type { RunInput } from '../run/run-input.ts';
import { pause } from '../run/stop.ts';
import { runLoad, type Load } from './load-run.ts';
import { countEnded, seedProject, wrongCounters } from './simulated.ts';
import { openStormReader, type StormReader } from './storm-reader.ts';
import { awaitBatch, startBatch } from './traffic.ts';
import { startTrespassing } from './trespass.ts';

const SIDE = 64;
const LAST_MS = 10_000;
/** Ten batches at once: looks at them must not be what slows the one that is timed. */
const CROWD_LOOK_MS = 250;

export function runTenants(scenario: TenantsScenario, startedAt: Date, input: RunInput): Promise<RunData> {
  const plan = { simulatedMs: scenario.phases.imageMs };
  return runLoad({ scenario, plan, startedAt, input }, (load) => tenants(scenario, load));
}

interface Tenant {
  target: { url: string; key: string };
  projects: { projectId: string; imageIds: string[]; reader: StormReader }[];
}

async function tenants({ images: { count }, phases }: TenantsScenario, load: Load): Promise<void> {
  const { fleet, signal } = load;
  const { options } = load.input;
  const images = options.count ?? count;
  const each = Math.ceil(images / phases.projects);
  load.images = each * phases.projects;
  const api = await load.start('api');
  await Promise.all([load.start('relay'), load.start('worker')]);
  const [crowd, lab] = await load.phase('two tenants', () =>
    Promise.all([
      newTenant(load, api.url!, { name: 'crowd', projects: phases.projects, images: each }),
      newTenant(load, api.url!, { name: 'lab', projects: 1, images: phases.small }),
    ]),
  );
  const all = [...crowd.projects, ...lab.projects];
  try {
    while (!all.every(({ reader }) => reader.isOpen())) await pause(20, signal);
    const small = lab.projects[0]!;
    const body = { all: true, force: true };
    const alone = await load.phase('alone', async () => {
      const { id } = await startBatch(lab.target, small.projectId, body);
      return { id, tookMs: await awaitBatch(load, id, { toldAt: small.reader.tally.toldAt }) };
    });
    await heard(lab, signal);
    const smallHeard = small.reader.tally.missing();
    const crowdEnds: Promise<number>[] = [];
    const crowded = await Promise.all(
      crowd.projects.map(async ({ projectId, reader }) => {
        const { id } = await startBatch(crowd.target, projectId);
        crowdEnds.push(awaitBatch(load, id, { toldAt: reader.tally.toldAt, everyMs: CROWD_LOOK_MS }));
        return id;
      }),
    );
    const ground = (of: Tenant, batchId: string) => ({ key: of.target.key, ...of.projects[0]!, batchId });
    const asked = { baseUrl: api.url!, everyMs: phases.askEveryMs, signal };
    const trespassers = [
      startTrespassing({ ...asked, own: lab.target, others: ground(crowd, crowded[0]!) }),
      startTrespassing({ ...asked, own: crowd.target, others: ground(lab, alone.id) }),
    ];
    const { beside, meanwhile } = await load.phase('beside the crowd', async () => {
      await underWay(load, crowded, Math.min(200, images / 4));
      const before = await endedOf(load, crowded);
      const { id } = await startBatch(lab.target, small.projectId, body);
      const tookMs = await awaitBatch(load, id);
      return { beside: tookMs, meanwhile: (await endedOf(load, crowded)) - before };
    });
    const stillOpen = (await endedOf(load, crowded)) < load.images;
    await load.phase('the rest', async () => {
      await Promise.all(crowdEnds);
      await heard(crowd, signal);
    });
    const found = await Promise.all(trespassers.map((one) => one.stop()));
    const wrong = await wrongCounters(fleet.sql);
    const ended = await countEnded(fleet.sql);
    const due = load.images + 2 * phases.small;
    const unheard = crowd.projects.reduce(
      (sum, { reader }) => sum + reader.tally.missing() + reader.tally.repeats(),
      0,
    );
    const foreign = all.reduce((sum, { reader }) => sum + reader.tally.count.strange, 0);
    const askedCount = found.reduce((sum, one) => sum + one.asked, 0);
    Object.assign(load.measurements, {
      tenants_small_ratio: {
        actual: beside / alone.tookMs,
        note: `${Math.round(beside)} ms, alone ${Math.round(alone.tookMs)} ms; ${meanwhile} images of the other tenant ended meanwhile`,
        ...(stillOpen ? {} : { weakened: 'the other tenant’s batches ended before' }),
      },
      tenants_foreign_events: { actual: foreign, note: `${all.length} readers` },
      tenants_foreign_answers: {
        actual: found.reduce((sum, one) => sum + one.wrong, 0),
        note: [`${askedCount} requests`, ...found.flatMap(({ examples }) => examples)].join('; '),
        ...(askedCount > 0 ? {} : { weakened: 'nothing was asked' }),
      },
      tenants_images_wrong: {
        actual: due - ended.completed + wrong + unheard + smallHeard,
        note: `${ended.completed} of ${due} completed, ${wrong} batches with wrong counters, ${unheard + smallHeard} images whose end was not told once`,
      },
    });
    load.delivery = { submitted: due, ...ended };
    load.tables.push(tableOf(phases, { alone: alone.tookMs, beside, meanwhile }));
  } finally {
    for (const { reader } of all) reader.close();
  }
}

async function newTenant(
  load: Load,
  url: string,
  of: { name: string; projects: number; images: number },
): Promise<Tenant> {
  const { fleet } = load;
  const operator = createHttpClient({ baseUrl: url, key: fleet.key, connections: 1 });
  const body = { name: of.name, scopes: ['read', 'write'], tenant: of.name };
  const made = await operator.json<{ token: string }>(addressOf('POST /api/keys'), { method: 'POST', body });
  operator.close();
  const [row] = await fleet.sql<{ id: string }[]>`SELECT id FROM tenants WHERE name = ${of.name}`;
  const target = { url, key: made.token };
  const projects = [];
  for (let index = 0; index < of.projects; index++) {
    const { seed } = load.input.options;
    const given = { name: `${of.name} ${index}`, images: of.images, side: SIDE, seed, tenantId: row!.id };
    const { projectId, imageIds } = await seedProject(fleet.sql, given);
    const indexOf = new Map(imageIds.map((id, at) => [id, at]));
    projects.push({ projectId, imageIds, reader: openStormReader({ ...target, projectId, indexOf }) });
  }
  return { target, projects };
}

async function endedOf({ fleet }: Load, ids: readonly string[]): Promise<number> {
  const [row] = await fleet.sql<{ done: number }[]>`
    SELECT coalesce(sum(completed + failed), 0)::int AS done FROM batches WHERE id = ANY(${[...ids]}::uuid[])`;
  return row!.done;
}
async function underWay(load: Load, ids: readonly string[], images: number): Promise<void> {
  while ((await endedOf(load, ids)) < images) await pause(20, load.signal);
}

/** Until each reader of the tenant has heard of each of its images, or nothing more comes. */
async function heard({ projects }: Tenant, signal: AbortSignal): Promise<void> {
  const until = Date.now() + LAST_MS;
  const isWaiting = () => projects.some(({ reader }) => reader.tally.missing() > 0);
  while (Date.now() < until && isWaiting()) await pause(50, signal);
  await pause(300, signal);
}

const tableOf = (
  { small, imageMs, projects }: TenantsScenario['phases'],
  { alone, beside, meanwhile }: { alone: number; beside: number; meanwhile: number },
) => ({
  title: `A tenant’s batch of ${small} images`,
  note: `A timer of ${imageMs} ms stands for every inference. The other tenant has ${projects} projects with work: tenants take turns, however many projects one has.`,
  columns: [
    { name: 'case' },
    { name: 'time', unit: 'ms' as const },
    { name: 'by its time alone', unit: 'ratio' as const },
    { name: 'images of the other tenant meanwhile', unit: 'count' as const },
  ],
  rows: [
    ['alone', alone, 1, 0],
    ['beside another tenant', beside, beside / alone, meanwhile],
  ],
});
