import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Project } from '#contract/images.ts';
import { fakeBackend } from '../batches/fixture.ts';
import { form, picture } from '../support/pictures.ts';
import { startPath, type Path } from './path.ts';

let path: Path;
beforeEach(async () => {
  path = await startPath();
});
afterEach(() => path.close());

it('gives 3,000 rows and 2,996 inferences for 3,000 files of which five are identical', async () => {
  const { server, sql } = path;
  const project = (await (
    await server.call('/api/projects', { method: 'POST', json: { name: 'p' } })
  ).json()) as Project;
  for (let request = 0; request < 30; request++) {
    const files = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const number = request * 100 + index;
        // Five of them, far apart, have the bytes of the first.
        const seed = number % 700 === 0 ? 0 : number;
        return { name: `${number}.png`, bytes: await picture(seed, { width: 8, height: 8 }) };
      }),
    );
    const reply = await server.call(`/api/projects/${project.id}/images`, { method: 'POST', body: form(files) });
    expect(reply.status).toBe(201);
  }
  const fake = fakeBackend();
  await path.relay();
  await path.worker(fake.backend);
  const batch = await path.start(project.id);
  await path.ended(batch.id);
  const [rows] = await sql<{ images: number; blobs: number }[]>`
    select count(*) as images, count(distinct sha256) as blobs from images where project_id = ${project.id} and status = 'completed'`;
  expect(rows).toEqual({ images: 3000, blobs: 2996 });
  expect(fake.asked.length).toBeLessThanOrEqual(2996);
  expect(new Set(fake.asked.map(({ sha256 }) => sha256)).size).toBe(2996);
}, 180_000);
