import { idForField } from './ids.ts';

/** What a parameter of this name means, on whatever route; a schema's own description goes first. */
export const PARAMETERS: Readonly<Record<string, string>> = {
  exportId: 'Of an export that is ready',
  limit: 'How many items at most',
  offset: 'How many items to leave out; 0 or absent with `cursor`',
  cursor: '`nextCursor` of the page before, of the same list in the same order',
  status: 'One status, or several with commas between: uploaded, queued, processing, completed, failed, cancelled',
  q: 'Part of the name, in any case',
  sort: 'What the list is ordered by; `-` for descending',
  first: 'How many images at most, from the beginning of the list',
  behind: 'So many events the index may lack: its `seq` says after which one the client goes on',
  w: 'Width in pixels that the picture must fit into; it is never enlarged',
  h: 'Height in pixels that the picture must fit into',
  q_render: 'Quality of a lossy format',
  ids: 'Ids of images, with commas between',
  region: 'Only this part of the picture: left,top,width,height in pixels of the image, within it, at most 4096 a side',
  f: 'Format; `auto` takes what `Accept` likes best',
  v: 'Id of the result whose mask is meant',
  expires: 'Until when a signed address holds, in seconds since 1970',
  signature: 'Of a signed address, as it was given out; no key is needed with it',
  tenant: 'Name of the tenant whose keys are meant; only a key of the operator’s tenant may name another than its own',
  lod: 'Level of detail of the outlines',
  projectId: 'Whose events',
  epoch: 'Of the numbering that `since` belongs to; both or neither',
  since: 'The last event number that the client has',
  window: '0: one event a frame; the server must allow it',
  'idempotency-key': 'Any text that is new for each upload: the same key gets the same answer, once',
};
const NOUNS: Readonly<Record<string, string>> = {
  projects: 'a project',
  images: 'an image',
  batches: 'a batch',
  exports: 'an export',
  keys: 'a key',
  runs: 'a run of the bench',
};

/** @param path as the document has it, `/api/images/{id}`. */
export function describeParameter(path: string, name: string): string | undefined {
  if (name === 'id') return `Id of ${NOUNS[/\/([a-z]+)\/\{id\}/.exec(path)?.[1] ?? ''] ?? 'what is meant'}`;
  if (name === 'q' && path.endsWith('/render')) return PARAMETERS['q_render'];
  return PARAMETERS[name];
}

/** Values that show what a parameter is for; one without stays empty in an example. */
export const PARAMETER_EXAMPLES: Readonly<Record<string, string | number>> = {
  limit: 50,
  offset: 0,
  status: 'completed,failed',
  q: 'plate-7',
  sort: '-createdAt',
  w: 320,
  h: 240,
  q_render: 80,
  ids: idForField('imageIds'),
  region: '0,0,32,24',
  f: 'webp',
  lod: 'medium',
  'idempotency-key': 'upload-2026-03-02-0001',
};

export const TAGS: readonly { name: string; description: string }[] = [
  { name: 'session', description: 'A cookie for a key, for pages' },
  { name: 'projects', description: 'What images belong to' },
  { name: 'images', description: 'Upload, list, look at, delete' },
  { name: 'pictures', description: 'Original bytes and derived pictures' },
  { name: 'batches', description: 'Segmentation of many images' },
  { name: 'events', description: 'What happens, as it happens' },
  { name: 'results', description: 'Polygons, in bulk or one by one' },
  {
    name: 'graphql',
    description: 'Projects, images, batches and results as one graph: queries, changes, subscriptions',
  },
  { name: 'exports', description: 'Results as files' },
  { name: 'metrics', description: 'Health and figures' },
  { name: 'runs', description: 'Results of the bench on this machine' },
  { name: 'keys', description: 'Keys and who did what with them' },
  { name: 'docs', description: 'This document' },
];

export const DESCRIPTION = `Bulk image segmentation, measured end to end.

Every call below \`/api\` needs \`Authorization: Bearer KEY\` or the session cookie. Errors are \`{statusCode, code, error, message}\`:
\`code\` is stable, \`message\` names the field, its value and what is allowed. Unknown body fields, values over a limit and
malformed ids are refused, never clamped. Lists are read by \`limit\` and \`offset\`, or by \`cursor\`. A path that no route has
answers 404 with code NOT_FOUND, for every method. Events come over a WebSocket at \`/api/events\`, of which OpenAPI can
describe the handshake only; \`ServerFrame\` is what it sends. Byte layouts: docs/polygons-format.md and docs/index-format.md.`;
