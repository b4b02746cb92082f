import { afterAll, beforeAll, expect, it } from 'vitest';
import type { UploadReply } from '#contract/images.ts';
import { startTestApp, type TestApp } from '../support/app.ts';
import { form, picture } from '../support/pictures.ts';
import { finishBatch } from '../support/results.ts';

let service: TestApp;
beforeAll(async () => {
  service = await startTestApp();
});
afterAll(async () => {
  await service.close();
});

/** Names that an upload takes, and that an archive must not hold as they are. */
const NAMES = [
  '...',
  'well A1/...',
  '.. .png',
  'con.png',
  'ab:b.png',
  'ab?b.png',
  'trailing. ',
  'x\u202egnp.exe',
  'plain.png',
];

/** Names as they stand in an archive's table (APPNOTE 4.3.12), read apart from what writes it. */
function namesIn(archive: Buffer): string[] {
  const end = archive.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'));
  const names: string[] = [];
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    const [name, extra, comment] = [28, 30, 32].map((field) => archive.readUInt16LE(at + field)) as [
      number,
      number,
      number,
    ];
    names.push(archive.toString('utf8', at + 46, at + 46 + name));
    at += 46 + name + extra + comment;
  }
  return names;
}

it('names of uploads never lead out of the folder that an archive is unpacked in', async () => {
  const made = await service.call('/api/projects', { method: 'POST', json: { name: 'names' } });
  const { id: projectId } = (await made.json()) as { id: string };
  const files = await Promise.all(NAMES.map(async (name, at) => ({ name, bytes: await picture(at + 40) })));
  const reply = await service.call(`/api/projects/${projectId}/images`, { method: 'POST', body: form(files) });
  const { images, rejected } = (await reply.json()) as UploadReply;
  expect([images.map(({ name }) => name).length, rejected]).toEqual([NAMES.length, []]);
  const batchId = await finishBatch(
    service,
    projectId,
    images,
    images.map(() => 2),
  );
  await service.sql`update batch_items set finished_at = now() where finished_at is null`;
  for (const format of ['imagej-rois', 'labels-zip']) {
    const asked = await service.call(`/api/batches/${batchId}/exports`, { method: 'POST', json: { format } });
    const { id } = (await asked.json()) as { id: string };
    let status = '';
    while (!['ready', 'failed'].includes(status))
      ({ status } = (await (await service.call(`/api/exports/${id}`)).json()) as { status: string });
    expect([format, status]).toEqual([format, 'ready']);
    const names = namesIn(Buffer.from(await (await service.call(`/api/download/${id}`)).arrayBuffer()));
    expect(names.length).toBeGreaterThanOrEqual(NAMES.length);
    const bad = names.filter((name) => /(^|[/\\])\.\.?([/\\]|$)|^[/\\]|[:?\u202e]|(^|\/)con\.|[. ](\/|$)/i.test(name));
    expect(bad).toEqual([]);
    expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
  }
});
