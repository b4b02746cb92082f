import { describe, expect, it } from 'vitest';
import { ApiError } from '../../../src/models/api.ts';
import { readEntries, type DroppedEntry } from '../../../src/models/gallery/dropped-files.ts';
import type { SendForm, SendReply } from '../../../src/models/gallery/send-form.ts';
import { fromFolder, groupFiles } from '../../../src/models/gallery/upload-files.ts';
import { createUploads, spread } from '../../../src/models/gallery/Uploads.ts';
import { createFakeClock } from '../../fake-clock.ts';

const file = (name: string, size = 10) => new File([new Uint8Array(size)], name);
const chosen = (names: string[]) => ({ files: names.map((name) => ({ file: file(name), path: name })), refused: [] });
const numbered = (count: number) => Array.from({ length: count }, (_, i) => `image-${i}.png`);
const accepted = (rejected: object[] = []): SendReply => ({
  status: 201,
  body: { images: [], rejected },
  retryAfterMs: null,
});
const refusal = (status: number, body: object, retryAfterMs: number | null = null): SendReply => ({
  status,
  body,
  retryAfterMs,
});

/** Uploads whose requests are answered by `answer`, in the order in which they come; each is noted. */
function setUp(answer: (call: { key: string; names: string[]; turn: number }) => SendReply | Promise<SendReply>) {
  const { clock, advance } = createFakeClock();
  const calls: { key: string; names: string[] }[] = [];
  let keys = 0;
  let news = 0;
  const send: SendForm = async ({ key, form, onProgress }) => {
    const names = form.getAll('files').map((each) => (each as File).name);
    calls.push({ key, names });
    onProgress(names.length * 5, names.length * 10);
    return answer({ key, names, turn: calls.length });
  };
  const uploads = createUploads({
    projectId: 'p',
    send,
    clock,
    random: () => 0.5,
    newKey: () => `key-${keys++}`,
    onAccepted: () => news++,
  });
  return { uploads, calls, advance, news: () => news, now: () => uploads.state.value };
}

describe('createUploads', () => {
  it('sends each file once and lists what is refused beside what is taken on', async () => {
    const bad = { name: 'image-3.png', code: 'INVALID_IMAGE', message: 'it is cut off' };
    const { uploads, calls, advance, news, now } = setUp(({ names }) =>
      accepted(names.includes(bad.name) ? [bad] : []),
    );
    uploads.add(chosen(numbered(45)));
    expect(now()).toMatchObject({ total: 45, active: true });
    await advance(10);
    expect(calls.flatMap(({ names }) => names).toSorted()).toEqual(numbered(45).toSorted());
    expect(now()).toMatchObject({
      done: 45,
      sentBytes: 450,
      totalBytes: 450,
      failed: 0,
      active: false,
      refused: [bad],
    });
    expect(news()).toBe(3);
  });

  it('takes a request of which nothing was accepted for answered', async () => {
    const rejected = [{ name: 'a.png', code: 'EMPTY_FILE', message: 'it is empty' }];
    const { uploads, calls, advance, news, now } = setUp(() => refusal(400, { code: 'NO_IMAGE_ACCEPTED', rejected }));
    uploads.add(chosen(['a.png']));
    await advance(60_000);
    expect([calls.length, news()]).toEqual([1, 0]);
    expect(now()).toMatchObject({ done: 1, failed: 0, refused: rejected });
  });

  it('tries again with the same key what a lost answer may have stored, and waits as long as it is told to', async () => {
    const { uploads, calls, advance, now } = setUp(({ turn }) => {
      if (turn === 1) throw new ApiError(0, 'NETWORK', 'The service does not answer.');
      return turn === 2 ? refusal(429, { code: 'RATE_LIMITED', message: 'too many' }, 20_000) : accepted();
    });
    uploads.add(chosen(['a.png']));
    await advance(500);
    expect(now()).toMatchObject({ waiting: 'The service does not answer.', done: 0, active: true });
    await advance(2000);
    expect(now().waiting).toBe('too many');
    await advance(15_000);
    expect(calls).toHaveLength(2);
    await advance(10_000);
    expect(calls.map(({ key }) => key)).toEqual(['key-0', 'key-0', 'key-0']);
    expect(now()).toMatchObject({ done: 1, waiting: null, active: false });
  });

  it('keeps what could not be sent, and a retry sends that alone, under its key', async () => {
    let away = true;
    const { uploads, calls, advance, now } = setUp(({ names }) =>
      away && names.includes('image-25.png') ? refusal(503, { code: 'X', message: 'away' }) : accepted(),
    );
    uploads.add(chosen(numbered(45)));
    await advance(120_000);
    expect(now()).toMatchObject({ done: 25, failed: 20, failure: 'away', active: false });
    const before = calls.length;
    const key = calls.find(({ names }) => names.includes('image-25.png'))!.key;
    away = false;
    uploads.retry();
    await advance(10);
    expect(calls.slice(before).map((call) => call.key)).toEqual([key]);
    expect(now()).toMatchObject({ done: 45, failed: 0, failure: null, sentBytes: 450 });
  });

  it('does not try again what will not pass', async () => {
    const { uploads, calls, advance, now } = setUp(() => refusal(403, { code: 'FORBIDDEN', message: 'read only' }));
    uploads.add(chosen(['a.png']));
    await advance(120_000);
    expect(calls).toHaveLength(1);
    expect(now()).toMatchObject({ failed: 1, failure: 'read only', active: false });
  });

  it('stops when asked to and goes on from there', async () => {
    let halt = () => {};
    const { uploads, advance, calls, now } = setUp(({ turn }) =>
      turn === 1 ? new Promise<SendReply>((_, reject) => (halt = () => reject(new Error('stopped')))) : accepted(),
    );
    uploads.add(chosen(['a.png']));
    await advance(10);
    uploads.stop();
    halt();
    await advance(10);
    expect(now()).toMatchObject({ failed: 1, failure: 'Stopped.', active: false });
    uploads.retry();
    await advance(10);
    expect(calls.map(({ key }) => key)).toEqual(['key-0', 'key-0']);
    expect(now()).toMatchObject({ done: 1, failed: 0 });
  });

  it('lets a file go that can no longer be read, and sends its neighbours', async () => {
    const { uploads, calls, advance, now } = setUp(({ names }) => {
      if (names.length === 2) throw new ApiError(0, 'NETWORK', 'no answer');
      return accepted();
    });
    const gone = file('gone.png');
    gone.slice = () => ({ arrayBuffer: () => Promise.reject(new Error('gone')) }) as unknown as Blob;
    uploads.add({
      files: [
        { file: gone, path: 'gone.png' },
        { file: file('b.png'), path: 'b.png' },
      ],
      refused: [],
    });
    await advance(5000);
    expect(calls.at(-1)).toEqual({ key: expect.not.stringMatching('key-0'), names: ['b.png'] });
    expect(now()).toMatchObject({ done: 2, failed: 0, refused: [{ name: 'gone.png', code: 'UNREADABLE' }] });
  });

  it('shows a few files on their way however many there are', async () => {
    const { uploads, advance, now } = setUp(() => new Promise(() => {}));
    uploads.add(chosen(numbered(200)));
    await advance(10);
    expect(now().rows.length).toBeLessThanOrEqual(6);
    expect(now().rows.length).toBeGreaterThan(0);
    expect(now().sentBytes).toBe(300);
  });
});

describe('spread', () => {
  it('fills files one after the other', () => {
    const items = [10, 20, 30].map((size, id) => ({ id, path: `${id}`, size }));
    expect(spread(items, 25).map(({ sentBytes }) => sentBytes)).toEqual([10, 15, 0]);
    expect(spread(items, 999).map(({ sentBytes }) => sentBytes)).toEqual([10, 20, 30]);
  });
});

describe('groupFiles', () => {
  it('puts at most 20 files and 64 MB into a request', () => {
    const small = Array.from({ length: 45 }, () => ({ size: 1000 }));
    expect(groupFiles(small).map((group) => group.length)).toEqual([20, 20, 5]);
    const large = Array.from({ length: 5 }, () => ({ size: 30e6 }));
    expect(groupFiles(large).map((group) => group.length)).toEqual([2, 2, 1]);
    expect(groupFiles([])).toEqual([]);
  });
});

describe('folders', () => {
  const leaf = (fullPath: string): DroppedEntry =>
    ({
      isDirectory: false,
      fullPath,
      file: (done: (each: File) => void) => done(file(fullPath.split('/').at(-1)!)),
    }) as DroppedEntry;
  /** As a browser lists a folder: in parts, and an empty one at the end. */
  const folder = (fullPath: string, entries: DroppedEntry[]): DroppedEntry =>
    ({
      isDirectory: true,
      fullPath,
      createReader: () => {
        const left = [...entries];
        return { readEntries: (done: (some: DroppedEntry[]) => void) => done(left.splice(0, 2)) };
      },
    }) as DroppedEntry;

  it('are looked through to the bottom, in the order of their paths, and what is no image is refused by name', async () => {
    const plate = folder('/plate', [
      leaf('/plate/w10.png'),
      leaf('/plate/w2.TIF'),
      leaf('/plate/notes.txt'),
      leaf('/plate/.DS_Store'),
      folder('/plate/day 2', [leaf('/plate/day 2/a.webp')]),
    ]);
    const { files, refused } = await readEntries([plate, leaf('/alone.dat')]);
    expect(files.map(({ path }) => path)).toEqual(['plate/day 2/a.webp', 'plate/w2.TIF', 'plate/w10.png', 'alone.dat']);
    expect(refused.map(({ name, code }) => [name, code])).toEqual([['plate/notes.txt', 'UNSUPPORTED_TYPE']]);
  });

  it('that cannot be read are named, and the others go on', async () => {
    const shut = {
      isDirectory: true,
      fullPath: '/shut',
      createReader: () => ({ readEntries: (_: unknown, failed: (cause: Error) => void) => failed(new Error('no')) }),
    } as DroppedEntry;
    const { files, refused } = await readEntries([shut, leaf('/a.png')]);
    expect(files).toHaveLength(1);
    expect(refused).toMatchObject([{ name: 'shut', code: 'UNREADABLE' }]);
  });

  it('leave out what systems put there', () => {
    const found = ['Thumbs.db', '._a.png', 'desktop.ini', 'a.png'].map((name) => ({ file: file(name), path: name }));
    const { files, refused } = fromFolder(found);
    expect([files.length, refused.length]).toEqual([1, 0]);
  });
});
