import type { Project } from './compose.ts';
import type { Container } from './containers.ts';

/** What `change` asks of a project; all of it is compose's work. */
export type Changeable = Pick<Project, 'up' | 'scale' | 'once' | 'remove' | 'running' | 'stopped'>;

export interface Wanted {
  workers: number;
  /** Absent: as many as there are. */
  apis?: number | undefined;
}

/** What stands whether or not anybody segments; in this order, for each needs those before. */
const SERVERS = ['postgres', 'queue', 'cache'];
/** As in `.env.example`. */
const FIRST_APIS = 2;

/**
 * Puts new containers in the place of all that a service has, one after the other: the new one is there and healthy before the old one
 * is asked to end. So there are never fewer than before. Those that were stopped go first: they would be started as they are, from the image of then.
 */
async function replaceAll(project: Changeable, service: string, old: readonly Container[]): Promise<void> {
  for (const one of await project.stopped(service)) await project.remove(one);
  for (const one of old) {
    await project.scale(service, old.length + 1);
    await project.remove(one);
  }
}

/**
 * Brings up everything, or what changed: servers, then the migration, then API replicas and workers one by one from the image as it is
 * now, then the balancer and what watches.
 * @param others further services of the file that are wanted, such as prometheus and grafana
 */
export async function deploy(project: Changeable, wanted: Wanted, others: readonly string[]): Promise<void> {
  await project.up(...SERVERS);
  await project.once('migrate');
  const apis = await project.running('api');
  const count = wanted.apis ?? Math.max(apis.length, FIRST_APIS);
  await replaceAll(project, 'api', apis);
  await project.scale('api', count);
  await project.up('haproxy', 'relay');
  await replaceAll(project, 'worker', await project.running('worker'));
  await project.scale('worker', wanted.workers);
  if (others.length > 0) await project.up(...others);
}

/** More or fewer containers; nothing else is touched. More come before fewer, so that there is room for what is handed back. */
export async function scale(project: Changeable, { workers, apis }: Wanted): Promise<void> {
  const changes: [string, number, number][] = [['worker', workers, (await project.running('worker')).length]];
  if (apis !== undefined) changes.push(['api', apis, (await project.running('api')).length]);
  const ordered = changes.toSorted((a, b) => Number(a[1] < a[2]) - Number(b[1] < b[2]));
  for (const [service, count] of ordered) await project.scale(service, count);
}
