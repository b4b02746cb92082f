import type { Sql } from './client.ts';

const PROJECTS = 100;

/**
 * Sums up the changes of `image_counts`, a project a transaction. Readers see the rows of before or of after, never both; two who
 * sum up the same project at once share its rows between them.
 * @returns true when there may be more to do
 */
export async function sumCounts(sql: Sql): Promise<boolean> {
  const projects = await sql<{ id: string }[]>`
    select distinct project_id as id from (
      select project_id from image_counts where not summed order by project_id limit ${PROJECTS * 10}) waiting limit ${PROJECTS}`;
  for (const { id } of projects)
    await sql`
      with taken as (delete from image_counts where project_id = ${id} returning status, n)
      insert into image_counts (project_id, status, n, summed)
      select ${id}::uuid, status, sum(n), true from taken group by status having sum(n) <> 0`;
  return projects.length === PROJECTS;
}
