import { describe, expect, it } from 'vitest';
import { countByRoute, createNetworkLog, isBulk } from '../../../src/drivers/browser/network.ts';

const ID = '0b1deb49-9dd4-4e69-9e0e-6f1488c26386';
const request = (path: string, body?: string, mimeType?: string) => ({
  path,
  url: `http://x${path}`,
  body,
  ...(mimeType ? { mimeType } : {}),
});

describe('isBulk', () => {
  it.each([
    ['/api/segmentation/batch/results'],
    [`/api/images/${ID}/segmentation`],
    [`/api/images/${ID}/overlay`],
    [`/api/batches/${ID}/exports`],
    [`/api/download/${ID}`],
  ])('counts %s', (path) => expect(isBulk(request(path))).toBe(true));
  it.each([[`/api/images/${ID}`], [`/api/images/${ID}/render`], ['/api/projects'], [`/api/batches/${ID}`]])(
    'does not count %s',
    (path) => expect(isBulk(request(path))).toBe(false),
  );
  it('counts GraphQL by what it asks for, and polygons by their media type wherever they come from', () => {
    expect(isBulk(request('/graphql', '{"query":"{ image { polygons } }"}'))).toBe(true);
    expect(isBulk(request('/graphql', '{"query":"{ projects { name } }"}'))).toBe(false);
    expect(isBulk(request('/api/other', undefined, 'application/vnd.segbench.polygons'))).toBe(true);
  });
});

describe('createNetworkLog', () => {
  it('puts replies to their requests, and turns monotonic stamps into epoch times', () => {
    const log = createNetworkLog();
    const response = { mimeType: 'application/json', status: 200, encodedDataLength: 3, headers: {} };
    const sent = { timestamp: 10, wallTime: 1000, request: { url: `http://x/api/images/${ID}`, method: 'GET' } };
    log.sent({ ...sent, requestId: '1' });
    log.sent({ ...sent, requestId: '1', wallTime: 1001, timestamp: 11 }, 'worker');
    log.received({ requestId: '1', response });
    log.finished({ requestId: '1', encodedDataLength: 7 });
    expect(log.all().map(({ wireBytes }) => wireBytes)).toEqual([7, undefined]);
    expect(log.epochMs(12)).toBe(1_002_000);
    expect(log.between(1_000_500, Infinity)).toHaveLength(1);
    expect(countByRoute(log.all())).toEqual({ 'GET /api/images/:id': 2 });
  });

  it.each([
    ['as the page has it', {}, 13],
    ['as it came, compressed', { 'Content-Encoding': 'gzip' }, 6],
  ])('counts headers and body of a reply that is left, %s', (_, headers, bytes) => {
    const log = createNetworkLog();
    log.sent({ requestId: '1', timestamp: 10, wallTime: 1000, request: { url: 'http://x/', method: 'GET' } });
    log.received({ requestId: '1', response: { mimeType: 'x/y', status: 200, encodedDataLength: 3, headers } });
    log.data({ requestId: '1', encodedDataLength: 1, dataLength: 4 });
    log.data({ requestId: '1', encodedDataLength: 2, dataLength: 6 });
    log.failed({ requestId: '1' });
    expect(log.all()).toMatchObject([{ wireBytes: bytes, finished: true }]);
  });
});
