/** Ids that stand in the document's examples, one for each kind of thing. */
export const EXAMPLE_IDS: Readonly<Record<string, string>> = {
  projects: '01980000-0000-7000-8000-000000000001',
  images: '01980000-0000-7000-8000-000000000002',
  batches: '01980000-0000-7000-8000-000000000003',
  exports: '01980000-0000-7000-8000-000000000004',
  keys: '01980000-0000-7000-8000-000000000005',
  results: '01980000-0000-7000-8000-000000000006',
  runs: '01980000-0000-7000-8000-000000000007',
};
const OTHER = '01980000-0000-7000-8000-00000000000f';

/** By the name of a field or parameter: `imageId`, `imageIds`, `retryOf`, … */
export function idForField(name: string): string {
  if (name === 'retryOf' || name === 'retryId') return EXAMPLE_IDS['batches'] ?? OTHER;
  if (name === 'v') return EXAMPLE_IDS['results'] ?? OTHER;
  const noun = name.replace(/Ids?$/i, '').replace(/^sample/, '');
  const plural = noun === 'batch' ? 'batches' : `${noun.charAt(0).toLowerCase()}${noun.slice(1)}s`;
  return EXAMPLE_IDS[plural] ?? OTHER;
}

/** Of a path parameter: `/api/images/{id}` has an image's, `/api/download/{exportId}` an export's. */
export function idForPath(path: string, parameter: string): string {
  if (parameter !== 'id') return idForField(parameter);
  const noun = /\/([a-z]+)\/(?:\{id\}|:id)/.exec(path)?.[1] ?? '';
  return EXAMPLE_IDS[noun] ?? OTHER;
}
