import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Project } from '#contract/images.ts';
import type { ErrorBody } from '#contract/common.ts';
import { startTestApp, type TestApp } from '../support/app.ts';

let service: TestApp;
let project: Project;
beforeAll(async () => {
  service = await startTestApp();
  project = (await (await service.call('/api/projects', { method: 'POST', json: { name: 'p' } })).json()) as Project;
});
afterAll(() => service.close());

/** A part of each kind that ends its own way: kept, refused by its name, refused by its bytes, no file at all. */
const PARTS = {
  'no part': '',
  'a file': '--b\r\ncontent-disposition: form-data; name="files"; filename="a.png"\r\n\r\nz!Q',
  'a file without a name': '--b\r\ncontent-disposition: form-data; name="files"; filename=""\r\n\r\nz!Q',
  'a file in another field': '--b\r\ncontent-disposition: form-data; name="other"; filename="a.png"\r\n\r\nz!Q',
  'a field': '--b\r\ncontent-disposition: form-data; name="files"\r\n\r\nz!Q',
};
const ENDS = ['', '\r\n', '\r\n--', '\r\n--b', '\r\n--b-', '\r\n--b\r\n', '\r\n--b\r\ncontent-disposition: form'];

it.each(Object.entries(PARTS))(
  'a body that breaks off after %s is answered with 400 and leaves nothing',
  async (_, part) => {
    for (const end of ENDS) {
      const reply = await service.call(`/api/projects/${project.id}/images`, {
        method: 'POST',
        body: part + end,
        headers: { 'content-type': 'multipart/form-data; boundary=b' },
      });
      const { code, message } = (await reply.json()) as ErrorBody;
      expect([end, reply.status, code]).toEqual([end, 400, part + end === '' ? 'NO_IMAGE_ACCEPTED' : 'BAD_REQUEST']);
      expect(message).toMatch(/: expected /);
    }
    expect(await readdir(join(service.dataDir, 'tmp'))).toEqual([]);
  },
);
