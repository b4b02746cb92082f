import { describe, expect, it } from 'vitest';
import { ApiError, type Api } from '../../../src/models/api.ts';
import { createBatches } from '../../../src/models/Batches.ts';
import { exportWords, type ExportFormat } from '../../../src/models/gallery/export-rows.ts';
import { createExports } from '../../../src/models/gallery/Exports.ts';
import { createFakeClock } from '../../fake-clock.ts';

type Reply = { status: string; progress: number; sizeBytes?: number; error?: string };

/** A tab's storage, and the service as far as exports go: what each is, or why it cannot be read. */
function setUp(given: { store?: Map<string, string>; service?: Map<string, Reply | Error> } = {}) {
  const { clock, advance, pending } = createFakeClock();
  const { store = new Map<string, string>(), service = new Map<string, Reply | Error>() } = given;
  const storage = {
    getItem: (key: string) => store.get(key) ?? null,
    setItem: (key: string, value: string) => void store.set(key, value),
  } as unknown as Storage;
  const said: string[] = [];
  const saved: string[] = [];
  const reads: { id: string; at: number }[] = [];
  const made: { batchId: string; format: string }[] = [];
  let refuse: Error | null = null;
  let hanging = false;
  const api = {
    call: async (route: string, { path: { id }, body }: { path: { id: string }; body?: { format: string } }) => {
      if (route === 'POST /api/batches/{id}/exports') {
        if (hanging) return new Promise(() => {});
        if (refuse) throw refuse;
        made.push({ batchId: id, format: body!.format });
        const exportId = `e${made.length}`;
        if (!service.has(exportId)) service.set(exportId, { status: 'queued', progress: 0 });
        return { id: exportId, status: 'queued' };
      }
      reads.push({ id, at: clock.now() });
      const reply = service.get(id) ?? new ApiError(404, 'NOT_FOUND', `no export ${id}`);
      if (reply instanceof Error) throw reply;
      return { sizeBytes: null, error: null, ...reply };
    },
  } as unknown as Api;
  const exports = createExports({
    api,
    clock,
    storage,
    projectId: 'p',
    batches: createBatches({}),
    imageCount: () => 100,
    live: {
      announce: (text, atOnce) => void said.push(`${atOnce ? 'now' : 'later'}: ${text}`),
      alarm: (text) => void said.push(`alert: ${text}`),
    },
    save: (address) => void saved.push(address),
  });
  const words = () => exports.rows.value.map(exportWords);
  const refuseWith = (error: Error | null) => (refuse = error);
  const hang = () => (hanging = true);
  return { exports, hang, advance, pending, service, store, said, saved, reads, made, words, refuseWith };
}
const FORMATS: ExportFormat[] = ['csv', 'labels-zip', 'imagej-rois', 'geojson', 'coco', 'ndjson'];
const lost = new ApiError(0, 'NETWORK', 'The service does not answer.');

describe('createExports', () => {
  it('follows an export until it is there, saves it by its address, says so once, and asks no more', async () => {
    const { exports, advance, pending, service, said, saved, reads, words } = setUp();
    await exports.ask('b1', 'csv');
    expect(words()).toEqual(['CSV: waits for its turn']);
    service.set('e1', { status: 'running', progress: 0.45 });
    await advance(1100);
    expect([words(), exports.summary.value]).toEqual([['CSV: 45 %'], '45 %']);
    service.set('e1', { status: 'ready', progress: 1, sizeBytes: 3_200_000 });
    await advance(3000);
    expect([words(), exports.summary.value]).toEqual([['CSV: ready, 3.2 MB'], null]);
    expect(saved).toEqual(['/api/download/e1']);
    expect(said).toEqual(['now: Export ready: CSV, 3.2 MB']);
    const { length } = reads;
    await advance(60_000);
    expect([reads.length, pending(), saved.length, said.length]).toEqual([length, 0, 1, 1]);
  });

  it('has a row for each of several, and says in one message which of them became ready together', async () => {
    const { exports, advance, service, said, saved, words, made } = setUp();
    for (const format of ['csv', 'coco', 'csv'] as const) await exports.ask('b1', format);
    await exports.ask('b2', 'csv');
    expect(made).toHaveLength(3);
    service.set('e1', { status: 'ready', progress: 1, sizeBytes: 2000 });
    service.set('e2', { status: 'ready', progress: 1, sizeBytes: 1000 });
    service.set('e3', { status: 'running', progress: 0.5 });
    await advance(1500);
    expect(words()).toEqual(['CSV: ready, 2 kB', 'COCO: ready, 1 kB', 'CSV: 50 %']);
    expect(saved).toEqual(['/api/download/e1', '/api/download/e2']);
    expect(said).toEqual(['now: Export ready: CSV, 2 kB, COCO, 1 kB']);
    exports.stop();
  });

  it('asks more and more rarely while nothing changes, and of the oldest four alone', async () => {
    const { exports, advance, service, reads } = setUp();
    for (const format of FORMATS) await exports.ask('b1', format);
    for (const [id] of service) service.set(id, { status: 'queued', progress: 0 });
    service.set('e1', { status: 'running', progress: 0.1 });
    await advance(600_000);
    const first = reads.filter(({ id }) => id === 'e1').map(({ at }) => at);
    const pauses = first.slice(1).map((at, i) => Math.round(at - first[i]!));
    expect(Math.max(...pauses)).toBe(8000);
    expect(pauses.slice(-3)).toEqual([8000, 8000, 8000]);
    expect(first.length).toBeLessThan(90);
    expect([...new Set(reads.map(({ id }) => id))].toSorted()).toEqual(['e1', 'e2', 'e3', 'e4']);
    service.set('e1', { status: 'ready', progress: 1, sizeBytes: 1 });
    await advance(20_000);
    expect(reads.some(({ id }) => id === 'e5')).toBe(true);
    exports.stop();
  });

  it('tells a failure in the alert, and makes another one when asked to', async () => {
    const { exports, advance, service, said, words, made, saved } = setUp();
    await exports.ask('b1', 'labels-zip');
    service.set('e1', { status: 'failed', progress: 0.3, error: 'No space left on the device.' });
    await advance(1500);
    expect(words()).toEqual(['Label images: failed. No space left on the device.']);
    expect(exports.summary.value).toBe('1 failed');
    expect(said).toEqual(['alert: Export of Label images failed. No space left on the device.']);
    await exports.retry(exports.rows.value[0]!);
    service.set('e2', { status: 'ready', progress: 1, sizeBytes: 10 });
    await advance(2000);
    expect([made.length, words(), saved]).toEqual([2, ['Label images: ready, 0 kB'], ['/api/download/e2']]);
  });

  it('keeps what the service refused as a row that says why', async () => {
    const { exports, pending, said, words, refuseWith, made } = setUp();
    refuseWith(new ApiError(429, 'RATE_LIMITED', 'More than 60 exports a minute.'));
    await exports.ask('b1', 'csv');
    expect(words()).toEqual(['CSV: failed. More than 60 exports a minute.']);
    expect([said.length, pending()]).toEqual([1, 0]);
    refuseWith(null);
    await exports.retry(exports.rows.value[0]!);
    expect([made.length, words()]).toEqual([1, ['CSV: waits for its turn']]);
    exports.stop();
  });

  it('says that the line is lost, goes on asking, and is as before once it is back', async () => {
    const { exports, advance, service, said, words } = setUp();
    await exports.ask('b1', 'csv');
    service.set('e1', { status: 'running', progress: 0.2 });
    await advance(1100);
    service.set('e1', lost);
    await advance(60_000);
    expect([words(), exports.lost.value, said]).toEqual([['CSV: 20 %'], 'The service does not answer.', []]);
    service.set('e1', { status: 'ready', progress: 1, sizeBytes: 1000 });
    await advance(9000);
    expect([words(), exports.lost.value]).toEqual([['CSV: ready, 1 kB'], null]);
  });

  it('lists after coming back what is ready without saving it again, goes on with what runs, and drops what is gone', async () => {
    const before = setUp();
    for (const format of ['csv', 'coco', 'geojson', 'ndjson'] as const) await before.exports.ask('b1', format);
    before.exports.stop();
    const { store, service } = before;
    service.set('e1', { status: 'ready', progress: 1, sizeBytes: 1000 });
    service.set('e2', { status: 'running', progress: 0.5 });
    service.delete('e3');
    service.set('e4', { status: 'failed', progress: 0, error: 'It broke.' });
    const { words, advance, said, saved, pending } = setUp({ store, service });
    await advance(500);
    expect(words()).toEqual(['CSV: ready, 1 kB', 'COCO: 50 %', 'NDJSON: failed. It broke.']);
    expect([said, saved]).toEqual([[], []]);
    service.set('e2', { status: 'ready', progress: 1, sizeBytes: 2000 });
    await advance(5000);
    expect([saved, said, pending()]).toEqual([['/api/download/e2'], ['now: Export ready: COCO, 2 kB'], 0]);
  });

  it('reads nothing of what another program left in its place', async () => {
    const texts = ['{"a":1}', '[null,1,{"id":"e1"},{"id":"e1","batchId":"b","format":"toString"}]', 'no JSON'];
    for (const text of texts) {
      const { exports, pending } = setUp({ store: new Map([['exports p', text]]) });
      expect([exports.rows.value, pending()]).toEqual([[], 0]);
    }
  });

  it('forgets a row for good, and lists twelve that are over at most', async () => {
    const { exports, advance, service, store } = setUp();
    for (let i = 1; i <= 15; i++) {
      service.set(`e${i}`, { status: 'ready', progress: 1, sizeBytes: 1 });
      await exports.ask(`b${i}`, 'csv');
      await advance(1500);
    }
    expect(exports.rows.value.map(({ batchId }) => batchId)).toEqual(Array.from({ length: 12 }, (_, i) => `b${i + 4}`));
    exports.forget('b9/csv');
    expect(exports.rows.value.map(({ id }) => id)).not.toContain('e9');
    expect(JSON.parse(store.get('exports p')!)).toHaveLength(11);
  });

  it('gives up on an answer that never comes', async () => {
    const { exports, advance, pending, words, hang } = setUp();
    hang();
    const asking = exports.ask('b1', 'csv');
    await advance(14_000);
    expect(words()).toEqual(['CSV: asked for']);
    await advance(2000);
    await asking;
    expect([words(), pending()]).toEqual([['CSV: failed. The service did not answer within 15 s.'], 0]);
  });

  it('follows nothing once the page is left', async () => {
    const { exports, advance, pending, reads } = setUp();
    const asking = exports.ask('b1', 'csv');
    exports.stop();
    await asking;
    await advance(60_000);
    expect([reads, pending()]).toEqual([[], 0]);
  });
});
