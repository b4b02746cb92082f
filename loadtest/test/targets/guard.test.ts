import { describe, expect, it } from 'vitest';
import { EnvironmentError } from '../../src/environment/errors.ts';
import { guardTarget } from '../../src/targets/guard.ts';
import type { Target, TargetConfig, TargetEvent, TargetFile } from '../../src/targets/target.ts';

const config = {} as TargetConfig;
const file = (name: string): TargetFile => ({
  name,
  path: '',
  bytes: new Uint8Array(1),
  mimeType: 'image/png',
  sha256: '',
});

/** A target that does what the interface says, but for what is given. Wrong types are what adapters without types have. */
function guarded(given: Record<string, unknown> = {}) {
  const controller = new AbortController();
  const broken: Error[] = [];
  const target = {
    open: () => Promise.resolve({ name: 'theirs', address: 'http://there' }),
    upload: (files: readonly TargetFile[]) =>
      Promise.resolve(files.map(({ name }) => ({ name, imageId: `id of ${name}` }))),
    start: () => Promise.resolve(),
    results: (ids: readonly string[]) =>
      Promise.resolve(ids.map((imageId) => ({ imageId, status: 'completed', result: true }))),
    events: () => Promise.resolve(),
    close: () => Promise.resolve(),
    ...given,
  } as Target;
  const limitsMs = { open: 30, start: 30, results: 30, close: 30 };
  const { signal } = controller;
  const guard = guardTarget(target, {
    name: './a.ts',
    signal,
    onBroken: (error) => broken.push(error),
    mostEvents: 3,
    limitsMs,
  });
  return { guard, broken, controller };
}

describe('guardTarget', () => {
  it('hands on what is right', async () => {
    const { guard } = guarded();
    expect(await guard.open(config)).toEqual({ name: 'theirs', address: 'http://there' });
    expect(await guard.upload([file('a')])).toEqual([{ name: 'a', imageId: 'id of a' }]);
    expect(await guard.results(['1'])).toEqual([{ imageId: '1', status: 'completed', result: true }]);
  });

  it('says which call failed, at which address, after how long, and every cause', async () => {
    const cause = new Error('connect ECONNREFUSED 127.0.0.1:9');
    const { guard } = guarded({ start: () => Promise.reject(new TypeError('fetch failed', { cause })) });
    await guard.open(config);
    const starting = guard.start([], { threshold: 0.5 });
    await expect(starting).rejects.toThrow(
      /^target \.\/a\.ts \(http:\/\/there\): start\(\) failed after \d+ ms: fetch failed: connect ECONNREFUSED 127\.0\.0\.1:9$/,
    );
    await expect(starting).rejects.toThrow(EnvironmentError);
  });

  it('takes what a call throws at once for the target’s too', async () => {
    const { guard } = guarded({
      start: () => {
        throw new Error('at once');
      },
    });
    await expect(guard.start([], { threshold: 0.5 })).rejects.toThrow(/start\(\) failed after \d+ ms: at once/);
  });

  it.each(['open', 'start', 'results', 'close'] as const)('does not wait for ever for %s', async (name) => {
    const { guard } = guarded({ [name]: () => new Promise(() => {}) });
    const calls = {
      open: () => guard.open(config),
      start: () => guard.start([], { threshold: 0.5 }),
      results: () => guard.results([]),
      close: () => guard.close(),
    };
    await expect(calls[name]()).rejects.toThrow(`${name}() failed after`);
    await expect(calls[name]()).rejects.toThrow('no answer within 30 ms');
  });

  it('ends a call with the run, and closes all the same', async () => {
    const { guard, controller } = guarded({ upload: () => new Promise(() => {}) });
    const uploading = guard.upload([file('a')]);
    controller.abort(new Error('interrupted'));
    await expect(uploading).rejects.toThrow(/^interrupted$/);
    await expect(guard.close()).resolves.toBeUndefined();
  });

  it.each<[string, Record<string, unknown>, (guard: Required<Target>) => Promise<unknown>, RegExp]>([
    [
      'about',
      { open: () => Promise.resolve({}) },
      (guard) => guard.open(config),
      /open\(\) gave \{\}, expected \{name, address/,
    ],
    [
      'uploads that are no list',
      { upload: () => Promise.resolve() },
      (guard) => guard.upload([file('a')]),
      /upload\(\) gave undefined, expected a list/,
    ],
    [
      'an upload without a file',
      { upload: () => Promise.resolve([]) },
      (guard) => guard.upload([file('a')]),
      /upload\(\) gave no answer for a \(1 files\)/,
    ],
    [
      'an upload of another file',
      { upload: () => Promise.resolve([{ name: 'b', imageId: '1' }]) },
      (guard) => guard.upload([file('a')]),
      /answered for "b", which was not sent/,
    ],
    [
      'an upload without id or reason',
      { upload: () => Promise.resolve([{ name: 'a' }]) },
      (guard) => guard.upload([file('a')]),
      /expected \{name, imageId\} or \{name, rejected\}/,
    ],
    [
      'a status that is none',
      { results: () => Promise.resolve([{ imageId: '1', status: 'done', result: true }]) },
      (guard) => guard.results(['1']),
      /results\(\) gave .*"done".*, expected/,
    ],
    [
      'a state that nobody asked for',
      { results: () => Promise.resolve([{ imageId: '2', status: 'failed', result: false }]) },
      (guard) => guard.results(['1']),
      /gave the state of "2", which was not asked for/,
    ],
    [
      'no state',
      { results: () => Promise.resolve([]) },
      (guard) => guard.results(['1']),
      /gave no state of 1 \(1 images\)/,
    ],
  ])('refuses %s', async (_, given, call, words) => {
    await expect(call(guarded(given).guard)).rejects.toThrow(words);
  });

  it('takes no event that is none, and not more than there can be', async () => {
    const taken: TargetEvent[] = [];
    const events = (handler: (event: unknown) => void) => {
      for (const event of [
        { imageId: '1', status: 'completed' },
        { imageId: '1', status: 'done' },
        { imageId: '2', status: 'failed', sequence: '7' },
      ])
        handler(event);
      for (let n = 0; n < 5; n++) handler({ imageId: '3', status: 'queued' });
      return Promise.resolve();
    };
    const { guard, broken } = guarded({ events });
    await guard.events((event) => void taken.push(event));
    expect(taken).toEqual([{ imageId: '1', status: 'completed' }]);
    expect(broken.map(({ message }) => message.replace(/, expected.*/, ''))).toEqual([
      'target ./a.ts: events() handed over {"imageId":"1","status":"done"}',
      'target ./a.ts: events() handed over {"imageId":"2","status":"failed","sequence":"7"}',
      'target ./a.ts: events() handed over more than 3 events',
    ]);
  });
});
