import { afterAll, beforeAll, expect, it } from 'vitest';
import { sequenceOnce } from '../../src/events/sequencer.ts';
import { until } from '../batches/fixture.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { ask, newProject, newScene, subscriber } from './support.ts';
import { uploadPictures } from '../support/results.ts';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(() => service.close());

const DETAILS =
  'query GetProjectWithDetails($projectId: ID!) { project(id: $projectId) { title owner { name } images(pagination: { limit: 20 }) { items { thumbnailUrl segmentation { cellCount } } } stats { totalImages segmentedImages } } }';
const PROGRESS =
  'subscription SegmentationProgress($taskId: String!) { segmentationProgress(taskId: $taskId) { status percentage } }';

it('answers GetProjectWithDetails as the system before this one did', async () => {
  const { project, images } = await newScene(service, [3, 0, null]);
  const { status, errors, data } = await ask(service, DETAILS, { projectId: project.id });
  expect([status, errors]).toEqual([200, undefined]);
  const [a, b, c] = images;
  const addressOf = ({ id }: { id: string }) => expect.stringMatching(`^/api/images/${id}/render\\?.*w=256`) as string;
  expect(data).toEqual({
    project: {
      title: project.name,
      owner: { name: 'bootstrap' },
      images: {
        items: [
          { thumbnailUrl: addressOf(a!), segmentation: { cellCount: 3 } },
          { thumbnailUrl: addressOf(b!), segmentation: { cellCount: 0 } },
          { thumbnailUrl: addressOf(c!), segmentation: null },
        ],
      },
      stats: { totalImages: 3, segmentedImages: 2 },
    },
  });
  const { items } = (data as { project: { images: { items: { thumbnailUrl: string }[] } } }).project.images;
  const picture = await service.call(items[0]!.thumbnailUrl, { key: null });
  expect([picture.status, picture.headers.get('content-type')]).toEqual([200, expect.stringMatching(/^image\//)]);
});

it('follows SegmentationProgress from the present state to the end of the batch', async () => {
  const { sql } = service;
  const project = await newProject(service);
  await uploadPictures(service, project.id, 4);
  const started = await service.call(`/api/projects/${project.id}/batches`, { method: 'POST', json: { all: true } });
  const { id: taskId } = (await started.json()) as { id: string };
  const client = subscriber(service);
  const seen: unknown[] = [];
  let ended = false;
  client.subscribe(
    { query: PROGRESS, variables: { taskId }, operationName: 'SegmentationProgress' },
    {
      next: (value) => seen.push(value),
      error: (error) => seen.push(error),
      complete: () => (ended = true),
    },
  );
  const at = (status: string, percentage: number) => ({ data: { segmentationProgress: { status, percentage } } });
  await until(() => seen.length === 1);
  expect(seen[0]).toEqual(at('queued', 0));
  /** As the result writer leaves it, with the event that says so. */
  const step = async (status: string, completed: number) => {
    await sql`update batches set status = ${status}, completed = ${completed}, queued = ${4 - completed}, processing = 0,
      finished_at = ${status === 'completed' ? sql`now()` : null} where id = ${taskId}`;
    await sql`insert into event_outbox (project_id, batch_id) values (${project.id}, ${taskId})`;
    while (await sequenceOnce(sql));
  };
  await step('running', 1);
  await until(() => seen.length === 2);
  await step('running', 3);
  await until(() => seen.length === 3);
  await step('completed', 4);
  await until(() => ended);
  expect(seen).toEqual([at('queued', 0), at('running', 25), at('running', 75), at('completed', 100)]);
  await client.dispose();
});
