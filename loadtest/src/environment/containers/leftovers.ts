import { hostname } from 'node:os';
import { isAlive, startTicks } from '../processes.ts';
import { findEngine, within, type Engine } from './engine.ts';

const RUN = 'dev.segbench.run';
const HOST = 'dev.segbench.host';
const KEEPER = 'dev.segbench.keeper';
const REMOVED_WITHIN_MS = 15_000;

/** What tells whose a container is: the run, and the keeper by machine, id and start. */
export const ownerLabels = (runId: string): Record<string, string> => ({
  [RUN]: runId,
  [HOST]: hostname(),
  [KEEPER]: `${process.pid}:${startTicks(process.pid) ?? ''}`,
});

/** A container of a keeper of this machine that is gone. Others on the same engine may be other machines'. */
export function isLeftover(labels: Record<string, string>, alive = isAlive): boolean {
  if (!labels[RUN] || labels[HOST] !== hostname()) return false;
  const [pid = '', ticks = ''] = (labels[KEEPER] ?? '').split(':');
  return /^\d+$/.test(pid) && !alive(Number(pid), ticks === '' ? undefined : ticks);
}

async function removeWhere({ client }: Engine, wanted: (labels: Record<string, string>) => boolean): Promise<string[]> {
  const { dockerode } = client.container;
  const listed = dockerode.listContainers({ all: true, filters: { label: [RUN] } });
  const ids = (await within({ ms: REMOVED_WITHIN_MS, what: 'the list of containers' }, listed))
    .filter(({ Labels }) => wanted(Labels))
    .map(({ Id }) => Id);
  await Promise.all(ids.map((id) => removeContainer({ client }, id)));
  return ids;
}

/** Kills and removes a container with its anonymous volumes; one that is gone is as good. */
export async function removeContainer({ client }: Pick<Engine, 'client'>, id: string): Promise<void> {
  const removing = client.container.dockerode.getContainer(id).remove({ force: true, v: true });
  await within({ ms: REMOVED_WITHIN_MS, what: `removing the container ${id.slice(0, 12)}` }, removing).catch(
    (error: unknown) => {
      // 404: gone. 409: somebody else is at it.
      const { statusCode } = error as { statusCode?: number };
      if (statusCode !== 404 && statusCode !== 409) throw error;
    },
  );
}

/** Whatever of a run is still there, half-started containers too. @returns their ids */
export const removeRunContainers = (engine: Engine, runId: string): Promise<string[]> =>
  removeWhere(engine, (labels) => labels[RUN] === runId);

/** Containers of runs whose keeper was killed itself. @returns their ids; none where no engine answers */
export async function removeLeftoverContainers(found?: Engine): Promise<string[]> {
  const engine = found ?? (await findEngine());
  if (typeof engine === 'string') return [];
  return await removeWhere(engine, (labels) => isLeftover(labels));
}
