import { apiError, notFound } from '../errors.ts';
import type { Resolvers } from './context.ts';
import { isSubject } from './loaders.ts';
import {
  batchPage,
  imagePage,
  paging,
  resultPage,
  type ImageListArguments,
  type Paged,
  type ResultArguments,
} from './pages.ts';

interface ById {
  id: string;
}
interface OfProject {
  projectId: string;
}
interface OfBatch {
  batchId: string;
}

/** Each answers as the route of its name does. */
export const QUERIES: Resolvers = {
  Query: {
    me: (_source, _args, { request: { apiKey } }) => ({ keyId: apiKey.id, name: apiKey.name, scopes: apiKey.scopes }),
    async project(_source, { id }: ById, { loaders }) {
      const project = await loaders.project.load(id);
      if (!project) throw notFound('project', id);
      return project;
    },
    projects: (_source, args: Paged, { tenant }) => {
      const { limit, offset, cursor } = paging(args).pagination;
      return tenant.projects.list(limit, offset, cursor);
    },
    async image(_source, { id }: ById, { tenant }) {
      const image = await tenant.images.get(id);
      if (!image) throw notFound('image', id);
      return image;
    },
    async images(_source, args: ImageListArguments & OfProject, context) {
      const project = await context.loaders.project.load(args.projectId);
      if (!project) throw notFound('project', args.projectId);
      return imagePage(context, project.id, args);
    },
    batch: (_source, { id }: ById, { tenant }) => tenant.batches.get(id),
    batches: (_source, args: Paged & OfProject, context) => batchPage(context, args.projectId, args),
    async result(_source, { imageId }: { imageId: string }, { loaders }) {
      const entry = await loaders.result.load(imageId);
      if (!entry || entry.missing) throw notFound('image', imageId);
      if (!isSubject(entry)) throw apiError('NOT_FOUND', `image ${imageId} has no result yet`);
      return entry;
    },
    results: (_source, args: ResultArguments, context) => resultPage(context, args),
    failures: (_source, { batchId }: OfBatch, { tenant }) => tenant.batches.failures(batchId),
    export: (_source, { id }: ById, { tenant }) => tenant.exports.get(id),
    exports: (_source, { batchId, pagination: { limit, offset } }: Paged & OfBatch, { tenant }) =>
      tenant.exports.list(batchId, limit, offset),
    queue: (_source, _args, { tenant }) => tenant.queue(),
  },
};
