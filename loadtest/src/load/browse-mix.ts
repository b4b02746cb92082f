import { addressOf } from '#contract/client.ts';
import type { BrowseKind, BrowseScenario } from '../../../scenarios/scenario.ts';
import type { MixRequest } from './generator-protocol.ts';

export interface BrowseWorld {
  projectId: string;
  imageIds: readonly string[];
  file: { exportId: string; sizeBytes: number };
  /** Projects to submit, whole. */
  userProjects: readonly string[];
}

const TURNS = 24;
const GRAPHQL =
  'query ($id: ID!, $n: Int!) { project(id: $id) { name imageCount images(pagination: { limit: $n }) { total items { name status segmentation { polygonCount } } } } }';

const post = (path: string, body: unknown): Pick<MixRequest, 'method' | 'path' | 'body'> => ({
  method: 'POST',
  path,
  body: JSON.stringify(body),
});

/** The requests of the scenario's mix, each kind going round its pages, images, ranges and users; each says what its answer must be. */
export function browseMix(phases: BrowseScenario['phases'], world: BrowseWorld): MixRequest[] {
  const { projectId, imageIds, file, userProjects } = world;
  const { pageSize, resultsPerRequest, rangeBytes, imagesPerUser, mix } = phases;
  const pages = Math.max(1, Math.ceil(imageIds.length / pageSize));
  const ranges = Math.floor(file.sizeBytes / rangeBytes);
  const imageOf = (turn: number) => imageIds[(turn * 7) % imageIds.length] as string;
  const makers: Record<BrowseKind, (turn: number) => Omit<MixRequest, 'name'>> = {
    list: (turn) => ({
      method: 'GET',
      path: addressOf('GET /api/projects/{id}/images', {
        path: { id: projectId },
        query: { limit: pageSize, offset: (turn % pages) * pageSize },
      }),
      expect: { status: 200, includes: [`"total":${imageIds.length}`] },
    }),
    detail: (turn) => ({
      method: 'GET',
      path: addressOf('GET /api/images/{id}', { path: { id: imageOf(turn) } }),
      expect: { status: 200, includes: [`"id":"${imageOf(turn)}"`] },
    }),
    result: (turn) => ({
      method: 'GET',
      path: addressOf('GET /api/images/{id}/segmentation', { path: { id: imageOf(turn) } }),
      expect: { status: 200, includes: [`"imageId":"${imageOf(turn)}"`] },
    }),
    results: (turn) => {
      const ids = Array.from({ length: Math.min(resultsPerRequest, imageIds.length) }, (_, at) => {
        return imageIds[(turn * resultsPerRequest + at) % imageIds.length] as string;
      });
      const address = addressOf('POST /api/segmentation/batch/results');
      return {
        ...post(address, { imageIds: ids }),
        expect: { status: 200, includes: ['"missing":[]', ...ids.map((id) => `"${id}":{`)] },
      };
    },
    graphql: () => ({
      ...post('/graphql', { query: GRAPHQL, variables: { id: projectId, n: Math.min(20, pageSize) } }),
      expect: { status: 200, includes: [`"total":${imageIds.length}`], excludes: '"errors"' },
    }),
    range: (turn) => {
      const from = (turn % ranges) * rangeBytes;
      return {
        method: 'GET',
        path: addressOf('GET /api/download/{exportId}', { path: { exportId: file.exportId } }),
        headers: { range: `bytes=${from}-${from + rangeBytes - 1}` },
        expect: { status: 206, bytes: rangeBytes },
      };
    },
    submit: (turn) => {
      const id = userProjects[turn % userProjects.length] as string;
      const address = addressOf('POST /api/projects/{id}/batches', { path: { id } });
      return {
        ...post(address, { all: true, force: true }),
        expect: { status: 202, includes: [`"total":${imagesPerUser}`] },
      };
    },
  };
  const turns: Record<string, number> = {};
  return Array.from({ length: TURNS * mix.length }, (_, index) => {
    const name = mix[index % mix.length] as BrowseKind;
    const turn = (turns[name] ??= 0);
    turns[name] = turn + 1;
    return { name, ...makers[name](turn) };
  });
}
