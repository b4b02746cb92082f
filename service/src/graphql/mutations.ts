import type { BatchBody } from '../contract/batches.ts';
import type { FailureCode } from '../contract/common.ts';
import { EXPORT_FORMATS } from '../contract/exports.ts';
import type { ProjectBody } from '../contract/images.ts';
import { present } from './arguments.ts';
import type { Context, Resolvers } from './context.ts';
import { enumName } from './type-defs.ts';

interface ById {
  id: string;
}
/** What a change says of itself; `value` is the field's. */
interface Change {
  value: unknown;
  targetId: string;
  detail?: Record<string, unknown>;
}

/** Runs a change and writes who did it, as the audit has it for the route: `targetType` is the route's first word. */
const audited =
  <A>(targetType: string, run: (args: A, context: Context) => Promise<Change>) =>
  async (_source: unknown, args: A, context: Context, { fieldName }: { fieldName: string }) => {
    const { value, ...change } = await run(present(args) as A, context);
    const { app, request } = context;
    await app.writeAudit(request, { action: `POST /graphql ${fieldName}`, targetType, ...change });
    return value;
  };
const made = <T extends ById>(value: T): Change => ({ value, targetId: value.id });
/** A verb of a batch, or one that makes a new batch. */
const batchVerb = (verb: 'pause' | 'resume' | 'cancel') =>
  audited<ById>('batches', async ({ id }, { tenant }) => made(await tenant.batches[verb](id)));

/** They run one after the other, as GraphQL says; each by the function of its route. */
export const MUTATIONS: Resolvers = {
  Mutation: {
    createProject: audited<{ input: ProjectBody }>('projects', async ({ input }, { tenant, request }) =>
      made(await tenant.projects.create(input, request.apiKey.name)),
    ),
    updateProject: audited<ById & { input: Partial<ProjectBody> }>('projects', async ({ id, input }, { tenant }) =>
      made(await tenant.projects.update(id, input)),
    ),
    renameProject: audited<ById & { name: string }>('projects', async ({ id, name }, { tenant }) =>
      made(await tenant.projects.update(id, { name })),
    ),
    deleteProject: audited<ById>('projects', async ({ id }, { tenant }) => {
      const { name, imageCount } = await tenant.projects.remove(id);
      return { value: id, targetId: id, detail: { name, images: imageCount } };
    }),
    async deleteImages(_source, { ids }: { ids: string[] }, { app, tenant, request }) {
      const deleted: string[] = [];
      const missing: string[] = [];
      for (const id of new Set(ids.map((each) => each.toLowerCase()))) {
        const projectId = await tenant.images.remove(id);
        if (projectId === null) missing.push(id);
        else {
          deleted.push(id);
          await tenant.projects.changed(projectId);
          const action = 'POST /graphql deleteImages';
          await app.writeAudit(request, { action, targetType: 'images', targetId: id });
        }
      }
      return { deleted, missing };
    },
    startBatch: audited<{ projectId: string; input: BatchBody }>(
      'batches',
      async ({ projectId, input }, { tenant, request }) =>
        made(await tenant.batches.create(projectId, input, request.span?.traceparent)),
    ),
    pauseBatch: batchVerb('pause'),
    resumeBatch: batchVerb('resume'),
    cancelBatch: batchVerb('cancel'),
    retryBatch: audited<ById & { code?: FailureCode }>('batches', async ({ id, code }, { tenant, request }) =>
      made(await tenant.batches.retry(id, code, request.span?.traceparent)),
    ),
    createExport: audited<{ batchId: string; format: string }>('exports', async ({ batchId, format }, { tenant }) => {
      const known = EXPORT_FORMATS.find((each) => enumName(each) === format);
      return made(await tenant.exports.create(batchId, known!));
    }),
  },
};
