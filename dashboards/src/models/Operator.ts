import { signal } from '@preact/signals';
import type { Batch } from '#contract/batches.ts';
import type { Project } from '#contract/images.ts';
import type { HealthReply } from '#contract/metrics.ts';
import type { QueueReply } from '#contract/queue.ts';
import type { Api } from './api.ts';
import { isOver } from './Batches.ts';
import type { Clock } from './clock.ts';
import { createPoll } from './Poll.ts';

const EVERY_MS = 1000;
/** Batches are looked for in this many projects, the newest ones. */
const PROJECTS_WATCHED = 8;
/** The longest list of names that is still read. */
const PROJECTS_SHOWN = 100;

/** What the page reads of the service's health. */
export type Health = Pick<HealthReply, 'status' | 'timestamp'> & { services: Record<string, { status: string }> };
export type { QueueReply as Queue };
export interface OpenBatch extends Batch {
  projectName: string;
}

export type Operator = ReturnType<typeof createOperator>;

/** The operator's view: four readings a second old at most, and the projects. */
export function createOperator(deps: { api: Api; clock: Clock; hidden: () => boolean }) {
  const { api, clock, hidden } = deps;
  const poll = <T>(read: () => Promise<T>, everyMs = EVERY_MS) => createPoll({ read, everyMs, clock, hidden });
  const health = poll(() => api.call('GET /api/metrics/health'));
  const summary = poll(() => api.call('GET /api/metrics/summary'));
  const endpoints = poll(() => api.call('GET /api/metrics/endpoints'), 2 * EVERY_MS);
  const queue = poll(() => api.call('GET /api/queue'));
  const projects = poll(readProjects, 2 * EVERY_MS);
  const batches = poll(readOpenBatches);
  const createError = signal<string | null>(null);
  const polls = [health, summary, endpoints, queue, projects, batches];

  /** The newest projects first; the service lists them from the oldest on, so the last page is asked for. */
  let known = 0;
  async function readProjects(): Promise<{ items: Project[]; total: number }> {
    const offset = Math.max(0, known - PROJECTS_SHOWN);
    const { items, total } = await api.call('GET /api/projects', {
      query: { limit: PROJECTS_SHOWN, ...(offset > 0 && { offset }) },
    });
    const before = known;
    known = total;
    if (total > offset + items.length || (total < before && offset > 0)) return readProjects();
    return { items: items.toReversed(), total };
  }
  async function readOpenBatches(): Promise<OpenBatch[]> {
    const watched = projects.state.peek().value?.items.slice(0, PROJECTS_WATCHED) ?? [];
    const lists = await Promise.all(
      watched.map(async ({ id, name }) => {
        const { items } = await api.call('GET /api/projects/{id}/batches', { path: { id }, query: { limit: 5 } });
        return items.filter((batch) => !isOver(batch)).map((batch) => ({ ...batch, projectName: name }));
      }),
    );
    return lists.flat();
  }
  return {
    health,
    summary,
    endpoints,
    queue,
    projects,
    batches,
    createError,
    async createProject(name: string): Promise<void> {
      createError.value = null;
      try {
        await api.call('POST /api/projects', { body: { name } });
        projects.refresh();
      } catch (cause) {
        createError.value = cause instanceof Error ? cause.message : String(cause);
      }
    },
    start: (): void => polls.forEach((each) => each.start()),
    stop: (): void => polls.forEach((each) => each.stop()),
  };
}
