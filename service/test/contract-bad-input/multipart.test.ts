import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Image, UploadReply } from '#contract/images.ts';
import { picture } from '../support/pictures.ts';
import type { Expected } from './judge.ts';
import { createWorld, listed, type Change, type World } from './world.ts';

let world: World;
let before: string;
let good: Buffer;
beforeAll(async () => {
  world = await createWorld({ MAX_FILE_BYTES: '20000' });
  good = await picture(77);
  before = await world.state();
});
afterAll(() => world.close());

const TYPE = 'multipart/form-data; boundary=b';
const part = (disposition: string, bytes: Buffer | string = good, more = '') =>
  Buffer.concat([
    Buffer.from(`--b\r\ncontent-disposition: ${disposition}\r\n${more}\r\n`),
    Buffer.from(bytes),
    Buffer.from('\r\n'),
  ]);
const file = (name: string) => `form-data; name="files"; filename="${name}"`;
const END = Buffer.from('--b--\r\n');
const upload = (parts: Buffer[], type = TYPE): Change => ({
  headers: [['content-type', type]],
  body: Buffer.concat(parts),
});
const uploads = () => world.calls.filter(({ multipart }) => multipart);

const BAD: Expected = { status: 400, code: 'BAD_REQUEST', names: ['multipart', 'expected'] };
const NONE: Expected = { status: 400, code: 'NO_IMAGE_ACCEPTED', names: ['no file'] };
const refusedName = (...names: string[]): Expected => ({
  ...NONE,
  names: ['no file was accepted', 'INVALID_NAME', ...names],
});
const OTHER_TYPE: Expected = {
  status: 415,
  code: 'UNSUPPORTED_MEDIA_TYPE',
  names: ['content-type', 'multipart/form-data'],
};
const FIELD = (name: string): Expected => ({
  status: 400,
  code: 'BAD_REQUEST',
  names: [`"${name}"`, 'expected files in files'],
});

const ATTACKS: [string, () => Change, Expected][] = [
  ['no content type', () => ({ body: good }), OTHER_TYPE],
  ['JSON', () => upload([Buffer.from('{}')], 'application/json'), OTHER_TYPE],
  ['a picture alone', () => upload([good], 'image/png'), OTHER_TYPE],
  ['a form', () => upload([Buffer.from('files=1')], 'application/x-www-form-urlencoded'), OTHER_TYPE],
  ['another multipart', () => upload([part(file('a.png')), END], 'multipart/mixed; boundary=b'), OTHER_TYPE],
  ['no boundary', () => upload([part(file('a.png')), END], 'multipart/form-data'), BAD],
  ['an empty boundary', () => upload([part(file('a.png')), END], 'multipart/form-data; boundary='), BAD],
  ['another boundary', () => upload([part(file('a.png')), END], 'multipart/form-data; boundary=c'), BAD],
  [
    'a boundary of 1,000 characters',
    () => upload([part(file('a.png')), END], `multipart/form-data; boundary=${'b'.repeat(1000)}`),
    BAD,
  ],
  ['no body', () => upload([]), NONE],
  ['no part', () => upload([END]), NONE],
  ['something before the first part', () => upload([Buffer.from('hello\r\n'), END]), NONE],
  ['no end', () => upload([part(file('a.png'))]), BAD],
  ['a part without a head', () => upload([Buffer.from('--b\r\n\r\nx\r\n'), END]), { status: 400, names: ['expected'] }],
  ['another field', () => upload([part('form-data; name="file"; filename="a.png"'), END]), FIELD('file')],
  ['a field of brackets', () => upload([part('form-data; name="files[]"; filename="a.png"'), END]), FIELD('files[]')],
  [
    'a field of no name',
    () => upload([part('form-data; filename="a.png"'), END]),
    { status: 400, names: ['expected'] },
  ],
  [
    'the field __proto__',
    () => upload([part('form-data; name="__proto__"; filename="a.png"'), END]),
    { status: 400, names: ['expected'] },
  ],
  [
    'text in the field',
    () => upload([part('form-data; name="files"', 'text'), END]),
    { status: 400, code: 'BAD_REQUEST', names: ['files', 'expected files in files'] },
  ],
  [
    'two fields of text',
    () => upload([part('form-data; name="a"', '1'), part('form-data; name="b"', '2'), part(file('a.png')), END]),
    { status: 400, code: 'BAD_REQUEST', names: ['expected files in files'] },
  ],
  [
    'a good file, then another field',
    () => upload([part(file('a.png')), part('form-data; name="x"', '1'), END]),
    FIELD('x'),
  ],
  [
    'a file that is too large',
    () => upload([part(file('a.png'), Buffer.concat([good, Buffer.alloc(20_001)])), END]),
    { ...NONE, names: ['FILE_TOO_LARGE', '20000'] },
  ],
  [
    '101 files',
    () => upload([...Array.from({ length: 101 }, (_, at) => part(file(`${at}.png`))), END]),
    { status: 400, code: 'TOO_MANY_FILES', names: ['100'] },
  ],
  [
    'a promise of too many bytes',
    () => ({
      headers: [
        ['content-type', TYPE],
        ['content-length', '99999999999'],
      ],
      body: part(file('a.png')),
    }),
    { status: 413, code: 'BODY_TOO_LARGE', names: ['99999999999', 'at most'] },
  ],
  [
    'a coding',
    () => ({
      headers: [
        ['content-type', TYPE],
        ['content-encoding', 'gzip'],
      ],
      body: part(file('a.png')),
    }),
    { status: 415, code: 'UNSUPPORTED_MEDIA_TYPE', names: ['content-encoding', '"gzip"', 'expected none'] },
  ],
  ['no file name', () => upload([part(file('')), END]), refusedName('no name')],
  ['a name that leaves its folder', () => upload([part(file('../../etc/passwd')), END]), refusedName('..')],
  ['the folder above', () => upload([part(file('..')), END]), refusedName('..')],
  [
    'a name that leaves it with backslashes',
    () => upload([part(file('a\\\\..\\\\..\\\\b.png')), END]),
    refusedName('..'),
  ],
  ['an absolute name', () => upload([part(file('/etc/passwd')), END]), refusedName('absolute')],
  ['a drive', () => upload([part(file('C:/a.png')), END]), refusedName('absolute')],
  ['a folder', () => upload([part(file('a/')), END]), refusedName('folder')],
  ['a control character', () => upload([part(file('a\x01b.png')), END]), refusedName('control')],
  // The parser leaves such a part out.
  [
    'an escaped line feed',
    () => upload([part('form-data; name="files"; filename*=UTF-8\'\'a%0Ab.png'), END]),
    { status: 400, code: 'NO_IMAGE_ACCEPTED', names: ['no file in field files', 'expected at least one'] },
  ],
  [
    'an escaped zero',
    () => upload([part('form-data; name="files"; filename*=UTF-8\'\'a%00.png'), END]),
    refusedName('control'),
  ],
  ['a name of 2,000 characters', () => upload([part(file(`${'n'.repeat(1996)}.png`)), END]), refusedName('1024')],
  ['a part of 256 bytes', () => upload([part(file(`${'n'.repeat(252)}.png`)), END]), refusedName('255')],
];

it.each(ATTACKS)('an upload with %s is refused, and leaves nothing', async (what, change, expected) => {
  const problems: string[] = [];
  for (const call of uploads()) problems.push(...(await world.refused(call, what, change(), expected)));
  expect(uploads().length).toBeGreaterThan(0);
  expect(listed(problems)).toBe('');
  expect(await readdir(join(world.service.dataDir, 'tmp'))).toEqual([]);
  await world.untouched(before);
});

/** The name as a client writes it, and the one that the image gets. */
const NAMES: [string, string, string][] = [
  ['emoji', file('🔬🧫.png'), '🔬🧫.png'],
  ['right to left', file('תמונה\u202etxt.png'), 'תמונה\u202etxt.png'],
  ['combining marks', file('e\u0301'.repeat(20)), 'e\u0301'.repeat(20)],
  ['quotes, escaped as browsers do', file('a%22b%22.png'), 'a%22b%22.png'],
  ['quotes, escaped with backslashes', file('a\\"b\\".png'), 'a"b".png'],
  ['its extended form', 'form-data; name="files"; filename*=UTF-8\'\'%F0%9F%94%AC%20x.png', '🔬 x.png'],
  ['HTML', file('<img src=x onerror=alert(1)>.png'), '<img src=x onerror=alert(1)>.png'],
  ['a query', file('a.png?x=1#y'), 'a.png?x=1#y'],
  ['dots', file('...'), '...'],
  ['a dot in front', file('.png'), '.png'],
  ['a blank', file(' '), ' '],
  ['percent', file('100%.png'), '100%.png'],
  ['255 bytes', file(`${'n'.repeat(251)}.png`), `${'n'.repeat(251)}.png`],
  ['a name of the system’s', file('CON'), 'CON'],
  ['formulas', file('=cmd|calc!A1.png'), '=cmd|calc!A1.png'],
];
const made: Image[] = [];
afterEach(async () => {
  for (const { id } of made.splice(0)) {
    const { status } = await world.service.call(`/api/images/${id}`, { method: 'DELETE' });
    if (status !== 204) throw new Error(`deleting ${id} was answered with ${status}`);
  }
});
it.each(NAMES)('a file name with %s is kept as it is, and found', async (_, disposition, name) => {
  const [call] = uploads();
  const { status, body } = await world.ask(call!, upload([part(disposition), END]));
  const { images, rejected } = JSON.parse(body.toString()) as UploadReply;
  made.push(...images);
  expect([status, images.map((image) => image.name), rejected]).toEqual([201, [name], []]);
  const found = await world.service.call(
    `/api/projects/${world.ids.projects[0]}/images?q=${encodeURIComponent(name.slice(0, 100))}`,
  );
  expect(((await found.json()) as { items: Image[] }).items.map((image) => image.name)).toContain(name);
  expect((await world.service.call(`/api/images/${images[0]!.id}/file`)).status).toBe(200);
});
