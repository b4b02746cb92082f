import type { Batch } from '../contract/batches.ts';
import type { Export } from '../contract/exports.ts';
import type { Image, Project } from '../contract/images.ts';
import type { Lod, Polygon, Result } from '../contract/results.ts';
import type { ProjectFacts } from '../database/projects.ts';
import { toResult } from '../results/forms.ts';
import type { Context, Resolvers } from './context.ts';
import { isSubject, type Subject } from './loaders.ts';
import { batchPage, imagePage, paging, resultPage, type ImageListArguments, type Paged } from './pages.ts';
import { enumName } from './type-defs.ts';

/** A project as its loader has it carries its facts; one from a list has them looked up, all of the list at once. */
const factsOf = async (project: Project | ProjectFacts, { loaders }: Context): Promise<ProjectFacts | null> =>
  'createdBy' in project ? project : loaders.project.load(project.id);

const META = new Set<keyof Result>([
  'status',
  'model',
  'modelVersion',
  'threshold',
  'imageWidth',
  'imageHeight',
  'polygonCount',
  'processingTimeMs',
  'warnings',
  'stages',
]);
const meta = (subject: Subject) => toResult(subject, { lod: 'high', fields: META });
const ofMeta =
  <K extends keyof Result>(name: K) =>
  (subject: Subject) =>
    meta(subject)[name];

export const TYPES: Resolvers = {
  Project: {
    title: ({ name }: Project) => name,
    async owner(project: Project, _args, context) {
      const name = (await factsOf(project, context))?.createdBy ?? null;
      return name === null ? null : { name };
    },
    async stats(project: Project, _args, context) {
      const facts = await factsOf(project, context);
      return { totalImages: project.imageCount, segmentedImages: facts?.segmentedImages ?? 0 };
    },
    images: (project: Project, args: ImageListArguments, context) => imagePage(context, project.id, args),
    batches: (project: Project, args: Paged, context) => batchPage(context, project.id, args),
  },
  Image: {
    thumbnailUrl: ({ id }: Image, { w }: { w: number }, { app }) => app.urls.thumbnail(id, w),
    async overlayUrl({ id }: Image, _args, { app, loaders }) {
      const entry = await loaders.result.load(id);
      return entry && isSubject(entry) ? app.urls.overlay(id, entry.stored.id) : null;
    },
    fileUrl: ({ id }: Image, _args, { app }) => app.urls.file(id),
    async segmentation({ id }: Image, _args, { loaders }) {
      const entry = await loaders.result.load(id);
      return entry && isSubject(entry) ? entry : null;
    },
    project: ({ projectId }: Image, _args, { loaders }) => loaders.project.load(projectId),
    batch: ({ batchId }: Image, _args, { loaders }) => (batchId === null ? null : loaders.batch.load(batchId)),
  },
  Batch: {
    project: ({ projectId }: Batch, _args, { loaders }) => loaders.project.load(projectId),
    failures: ({ id }: Batch, _args, { tenant }) => tenant.batches.failures(id),
    results: ({ id }: Batch, args: Paged, context) => resultPage(context, { ...args, batchId: id }),
    exports: ({ id }: Batch, args: Paged, { tenant }) => {
      const { limit, offset } = paging(args).pagination;
      return tenant.exports.list(id, limit, offset);
    },
  },
  Export: {
    format: ({ format }: Export) => enumName(format),
    downloadUrl: ({ id, status }: Export, _args, { app }) => (status === 'ready' ? app.urls.download(id) : null),
  },
  Result: {
    ...Object.fromEntries([...META].map((name) => [name, ofMeta(name)])),
    cellCount: ofMeta('polygonCount'),
    warnings: (subject: Subject) => meta(subject).warnings ?? [],
    stages: (subject: Subject) =>
      Object.entries(meta(subject).stages ?? {}).map(([name, durationMs]) => ({ name, durationMs })),
    polygons: (subject: Subject, { lod }: { lod: Lod }): Polygon[] =>
      toResult(subject, { lod, fields: new Set<keyof Result>(['polygons']) }).polygons ?? [],
    image: ({ imageId }: Subject, _args, { loaders }) => loaders.image.load(imageId),
  },
};
