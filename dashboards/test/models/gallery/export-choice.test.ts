import { describe, expect, it } from 'vitest';
import type { Batch } from '#contract/batches.ts';
import { ApiError, type Api } from '../../../src/models/api.ts';
import { createBatches } from '../../../src/models/Batches.ts';
import {
  batchNote,
  batchWords,
  createExportChoice,
  kindOf,
  usualBatch,
} from '../../../src/models/gallery/ExportChoice.ts';

function batch(id: string, given: Partial<Batch> & { done?: number; failed?: number } = {}): Batch {
  const { total = 1000, done = total, failed = 0, ...rest } = given;
  return {
    id,
    status: 'completed',
    pausedReason: null,
    total,
    counts: { queued: total - done - failed, processing: 0, completed: done, failed, cancelled: 0 },
    threshold: 0.5,
    retryOf: null,
    createdAt: '2026-03-02T10:30:00.000Z',
    imagesPerSecond: 0,
    eta: null,
    ...rest,
  } as Batch;
}
const whole = batch('whole');
const trial = batch('trial', { total: 12 });
const retry = batch('retry', { total: 3, retryOf: 'whole' });
const running = batch('running', { status: 'running', done: 340 });

describe('the batch that is offered', () => {
  it.each([
    ['the newest that is over, before trials, retries and what still runs', [running, retry, trial, whole], 'whole'],
    ['a trial where nothing else is over', [running, trial], 'trial'],
    ['what still runs where nothing is over', [running], 'running'],
  ])('is %s', (_, newestFirst, id) => {
    expect(usualBatch(newestFirst, 1000)?.id).toBe(id);
  });

  it('is none where there is none, and twelve images are no trial of a project that has no more', () => {
    expect(usualBatch([], 1000)).toBeNull();
    expect([kindOf(trial, 12), kindOf(trial, 13), kindOf(retry, 1000)]).toEqual(['whole', 'trial', 'retry']);
  });
});

describe('words of a batch', () => {
  it('are its time, its size, its threshold and what it is', () => {
    expect(batchWords(whole, 1000)).toMatch(/^2 Mar 2026, \d\d:30 · 1,000 images · threshold 0\.50$/);
    expect(batchWords(trial, 1000)).toMatch(/ · 12 images · threshold 0\.50 · trial$/);
    expect(batchWords(retry, 1000)).toMatch(/ · 3 images · threshold 0\.50 · retry of what failed$/);
    expect(batchWords(running, 1000)).toMatch(/ · not finished$/);
    expect(batchWords(batch('c', { status: 'cancelled' }), 1000)).toMatch(/ · cancelled$/);
  });

  it.each([
    ['what fails', batch('f', { done: 997, failed: 3 }), /^Without a result: 3 images\. Only CSV and NDJSON/],
    ['what was cancelled', batch('c', { status: 'cancelled', done: 999 }), /^Without a result: 1 image\./],
    ['everything', batch('n', { done: 0, failed: 1000 }), /^No image of this batch has a result/],
    ['what is to come', running, /340 of 1,000 images are done\. The file will hold those that are done when/],
    [
      'all of what is to come',
      batch('q', { status: 'queued', done: 0 }),
      /^Not finished, and none of its images is done/,
    ],
  ])('tell that a file lacks %s', (_, given, words) => {
    expect(batchNote(given)).toMatch(words);
  });

  it('tell nothing of a file that lacks nothing', () => {
    expect(batchNote(whole)).toBeNull();
  });
});

describe('createExportChoice', () => {
  function setUp(items: () => readonly Batch[] | Error, scopes = ['read']) {
    const calls: string[] = [];
    const api = {
      call: async (route: string) => {
        calls.push(route);
        if (route === 'GET /api/session') return { keyId: 'k', name: 'microscope', scopes };
        const reply = items();
        if (reply instanceof Error) throw reply;
        return { items: reply };
      },
    } as unknown as Api;
    const batches = createBatches({});
    const choice = createExportChoice({ api, projectId: 'p', batches, imageCount: () => 1000 });
    return { choice, batches, calls };
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve));

  it('keeps to what was offered while the menu is open, and to what a person chose', async () => {
    let items: readonly Batch[] = [trial];
    const { choice, batches } = setUp(() => items);
    const close = choice.look();
    await settle();
    expect(choice.batch.value?.id).toBe('trial');
    items = [whole, trial];
    batches.upsert(whole);
    await settle();
    expect([choice.batch.value?.id, choice.all.value?.length]).toEqual(['trial', 2]);
    close();
    const again = choice.look();
    await settle();
    expect(choice.batch.value?.id).toBe('whole');
    choice.pick('trial');
    again();
    choice.look()();
    await settle();
    expect(choice.batch.value?.id).toBe('trial');
  });

  it('knows from events how far a batch is, and asks once for many batches that come in a row', async () => {
    const { choice, batches, calls } = setUp(() => [running]);
    const close = choice.look();
    for (let i = 0; i < 20; i++) batches.upsert(batch(`b${i}`), true);
    batches.upsert({ ...running, counts: { ...running.counts, completed: 800, queued: 200 } });
    await settle();
    expect(choice.batch.value?.counts.completed).toBe(800);
    expect(calls).toEqual(['GET /api/session', ...Array.from({ length: 2 }, () => 'GET /api/projects/{id}/batches')]);
    close();
  });

  it('says whose key may not export, and asks for nothing else then', async () => {
    const { choice, calls } = setUp(() => [whole], ['metrics', 'write']);
    choice.look()();
    await settle();
    expect(choice.refused.value).toMatchObject({ name: 'microscope', scopes: ['metrics', 'write'] });
    expect(calls).toEqual(['GET /api/session']);
  });

  it('tells why batches cannot be read, until they can', async () => {
    let reply: readonly Batch[] | Error = new ApiError(0, 'NETWORK', 'The service does not answer.');
    const { choice } = setUp(() => reply);
    choice.look()();
    await settle();
    expect([choice.error.value, choice.all.value]).toEqual(['The service does not answer.', null]);
    reply = [];
    await choice.read();
    expect([choice.error.value, choice.all.value, choice.batch.value]).toEqual([null, [], null]);
  });
});
