import { addressOf } from '#contract/client.ts';
import type { Browser, CDPSession } from 'puppeteer-core';
import type { ServerFrame } from '#contract/events.ts';
import { createFrameLog } from '../ledger-socket.ts';
import { clockOffset, type ClockReading } from './clock.ts';
import {
  createNetworkLog,
  type CdpDataReceived,
  type CdpLoadingFinished,
  type CdpRequestWillBeSent,
  type CdpResponseReceived,
} from './network.ts';
import { installRecorder, type RecorderDump, type SweepRecord } from './recorder.ts';

export interface ObservedPageOptions {
  browser: Browser;
  baseUrl: string;
  path: string;
  key: string;
  /** Runs in the page before its own scripts: violations planted by tests. */
  script?: string | undefined;
  timeoutMs?: number;
  /** It is open once this is there; default an image of the gallery. */
  ready?: string;
  /** How many times slower its processor is made; its workers keep theirs. */
  slower?: number | undefined;
}

const hereMs = () => performance.timeOrigin + performance.now();
export const VIEWPORT = { width: 1280, height: 900 };

/** Signs in as the page does: the session cookie for a key. @throws Error with the service's answer when it refuses. */
async function sessionCookie(baseUrl: string, key: string): Promise<{ name: string; value: string }> {
  const reply = await fetch(new URL(addressOf('POST /api/session'), baseUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ key }),
  });
  const cookie = reply.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const at = cookie.indexOf('=');
  if (!reply.ok || at < 1) throw new Error(`sign in: status ${reply.status}: ${(await reply.text()).slice(0, 200)}`);
  return { name: cookie.slice(0, at), value: cookie.slice(at + 1) };
}

/** Opens a page with everything that watches it in place before its first byte: recorder, network, socket frames. */
export async function openObservedPage(options: ObservedPageOptions) {
  const { browser, baseUrl, path, key, script, timeoutMs = 60_000, ready = '[data-image-id]', slower = 1 } = options;
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport(VIEWPORT);
  await context.setCookie({ ...(await sessionCookie(baseUrl, key)), domain: new URL(baseUrl).hostname, path: '/' });
  const cdp = await page.createCDPSession();
  const network = createNetworkLog();
  const frames = createFrameLog();
  const replies = createReplyReader(cdp);
  const errors: string[] = [];
  await watch(cdp, '');
  page.on('workercreated', (worker) => void watch(worker.client, worker.url()).catch(() => {}));
  page.on('pageerror', (error) => errors.push(String(error)));
  cdp.on('Network.webSocketCreated', ({ url }) => frames.connected(new URL(url).searchParams.get('since')));
  cdp.on('Network.webSocketFrameReceived', ({ timestamp, response }) => {
    if (response.opcode === 1)
      frames.add(JSON.parse(response.payloadData) as ServerFrame, network.epochMs(timestamp) ?? hereMs());
  });
  if (slower > 1) await cdp.send('Emulation.setCPUThrottlingRate', { rate: slower });
  await page.evaluateOnNewDocument(installRecorder);
  if (script) await page.evaluateOnNewDocument(script);

  async function watch(session: CDPSession, name: string): Promise<void> {
    session.on('Network.requestWillBeSent', (event) => void network.sent(event as CdpRequestWillBeSent, name));
    session.on('Network.responseReceived', (event) => network.received(event as CdpResponseReceived, name));
    session.on('Network.dataReceived', (event) => network.data(event as CdpDataReceived, name));
    session.on('Network.loadingFinished', (event) => {
      const request = network.finished(event as CdpLoadingFinished, name);
      if (request && name === '') replies.finished(request.id, request.method, request.path);
    });
    session.on('Network.loadingFailed', (event) => network.failed(event, name));
    await session.send('Network.enable', { maxPostDataSize: 1024 * 1024 });
  }

  async function evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await cdp.send('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails)
      throw new Error(`page: ${exceptionDetails.exception?.description ?? exceptionDetails.text} in ${expression}`);
    return result.value as T;
  }

  async function alignClock(): Promise<{ timeOrigin: number; offsetMs: number; errorMs: number }> {
    const readings: ClockReading[] = [];
    for (let round = 0; round < 15; round++) {
      const sentAt = hereMs();
      const pageTime = await evaluate<number>('performance.timeOrigin + performance.now()');
      readings.push({ sentAt, pageTime, receivedAt: hereMs() });
    }
    return { timeOrigin: await evaluate<number>('performance.timeOrigin'), ...clockOffset(readings) };
  }

  await page.goto(new URL(path, baseUrl).href, { waitUntil: 'load', timeout: timeoutMs });
  await page.waitForSelector(ready, { timeout: timeoutMs });
  const clock = await alignClock();

  return {
    page,
    cdp,
    network,
    frames,
    errors,
    clock,
    /** Page clock of an epoch time here, and back. */
    toPage: (epochMs: number): number => epochMs + clock.offsetMs - clock.timeOrigin,
    toEpoch: (pageMs: number): number => pageMs + clock.timeOrigin - clock.offsetMs,
    evaluate,
    quietMs: () => evaluate<number>('segbenchRecorder.quietMs()'),
    dump: () => evaluate<RecorderDump>('segbenchRecorder.dump()'),
    firstPaint: (timeoutMs = 10_000) => evaluate<number | null>(`segbenchRecorder.firstPaint(${timeoutMs})`),
    arm: (total: number) => evaluate(`segbenchRecorder.arm(${total})`),
    disarm: () => evaluate('segbenchRecorder.disarm()'),
    sweep: (durationMs: number, forward: boolean) =>
      evaluate<SweepRecord>(`segbenchRecorder.sweep(${durationMs}, ${forward})`),
    walk: () => evaluate<SweepRecord['cells']>('segbenchRecorder.walk()'),
    /** The next reply to a request of the page, parsed as JSON. */
    nextReply: <T>(method: string, path: RegExp, timeoutMs: number) => replies.next<T>(method, path, timeoutMs),
    close: () => context.close(),
  };
}
export type ObservedPage = Awaited<ReturnType<typeof openObservedPage>>;

interface Waiter {
  method: string;
  path: RegExp;
  resolve(body: unknown): void;
  reject(error: unknown): void;
}

function createReplyReader(cdp: CDPSession) {
  const waiters = new Set<Waiter>();
  return {
    finished(requestId: string, method: string, path: string): void {
      for (const waiter of waiters) {
        if (waiter.method !== method || !waiter.path.test(path)) continue;
        waiters.delete(waiter);
        cdp
          .send('Network.getResponseBody', { requestId })
          .then(({ body, base64Encoded }) =>
            waiter.resolve(JSON.parse(base64Encoded ? Buffer.from(body, 'base64').toString() : body)),
          )
          .catch((error: unknown) => waiter.reject(error));
      }
    },
    next<T>(method: string, path: RegExp, timeoutMs: number): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        const timer = setTimeout(() => {
          waiters.delete(waiter);
          reject(new Error(`page: no reply to ${method} ${path.source} in ${timeoutMs} ms`));
        }, timeoutMs);
        const done = () => clearTimeout(timer);
        const waiter: Waiter = {
          method,
          path,
          resolve: (body) => (done(), resolve(body as T)),
          reject: (error) => (done(), reject(error as Error)),
        };
        waiters.add(waiter);
      });
    },
  };
}
