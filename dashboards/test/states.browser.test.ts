import type { Page } from 'puppeteer-core';
import { describe, expect, it } from 'vitest';
import type { Failures } from '#contract/batches.ts';
import type { MockProject } from '../../loadtest/src/stand-in/project.ts';
import { nowBatch, nowReply, workerReport } from '../../loadtest/src/stand-in/replies.ts';
import { faultsOf, unreachedOf } from './accessible.ts';
import { galleryBench } from './gallery-page.ts';

const { openPage } = galleryBench();

type Opening = NonNullable<Parameters<typeof openPage>[1]>;
type Answers = Record<string, { status?: number; body: unknown }>;
const given = (answers: Answers): Pick<Opening, 'answer'> => ({ answer: (route) => answers[route] });
const refused = (status: number, message: string) => ({
  status,
  body: { statusCode: status, code: 'UNKNOWN', message },
});
const at = (path: string): Pick<Opening, 'path'> => ({ path: () => path });
const ID = '01980000-0000-7000-8000-000000000001';

const now = (change: Parameters<typeof nowReply>[0]) => ({
  body: nowReply({ timestamp: new Date().toISOString(), ...change }),
});
const NO_PROJECTS = { body: { items: [], total: 0, limit: 100, offset: 0, nextCursor: null } };
const counts = { queued: 0, processing: 0, completed: 994, failed: 6, cancelled: 0 };
const failing = nowBatch(1, { status: 'completed', counts });
const retry = nowBatch(2, { retryOf: failing.id, total: 4, counts: { ...counts, completed: 1, failed: 0, queued: 3 } });
const group = (code: 'TIMEOUT' | 'CRASHED' | 'INVALID_IMAGE', retryId: string | null): Failures['groups'][number] => ({
  code,
  retryable: code !== 'INVALID_IMAGE',
  count: 2,
  first: failing.createdAt,
  last: failing.createdAt,
  sampleImageIds: [ID],
  sampleMessage: 'it took longer than 30 s',
  retryId,
});
const FAILURES = {
  batchId: failing.id,
  total: 6,
  groups: [group('TIMEOUT', retry.id), group('CRASHED', null), group('INVALID_IMAGE', null)],
};
const RETRIED: Answers = {
  'GET /api/now': now({ batches: [retry, failing], queue: { ...nowReply().queue, workers: [workerReport(1)] } }),
  'GET /api/batches/:id/failures': { body: FAILURES },
};
const NO_RUNS = { body: { items: [], total: 0, limit: 200, unreadable: ['2026-03-01-bulk-1000'] } };
const LOST = refused(503, 'The database does not answer.');
const failedImage = (project: MockProject) => ({
  ...project.image(0),
  status: 'failed',
  error: { code: 'TIMEOUT', message: 'it took longer than 30 s' },
});

async function refuseFiles(page: Page): Promise<void> {
  await page.waitForSelector('[data-image-id]');
  await page.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.items.add(new File(['no picture'], 'notes.txt', { type: 'text/plain' }));
    const input = document.querySelector<HTMLInputElement>('input[type=file][webkitdirectory]')!;
    input.files = transfer.files;
    input.dispatchEvent(new Event('change', { bubbles: true }));
  });
}

/** What a page is in, what its service says, and what is there once it is so. */
const STATES: [state: string, opening: Opening, shows: string, reach?: (page: Page) => Promise<unknown>][] = [
  [
    'the operator’s page before anything happened',
    {
      ...at('/'),
      ...given({
        'GET /api/now': now({
          batches: [],
          openBatches: 0,
          queue: { ...nowReply().queue, waiting: 0, active: 0, workers: [] },
        }),
        'GET /api/projects': NO_PROJECTS,
      }),
    },
    '.verdict-good',
  ],
  [
    'the operator’s page that asks before it cancels',
    at('/'),
    '[data-action="cancel-yes"]',
    (page) => page.locator('[data-action="cancel"]').click(),
  ],
  [
    'the operator’s page with a retry under way',
    { ...at('/'), ...given(RETRIED) },
    `[data-retry="${retry.id}"]`,
    (page) => page.waitForSelector('.batch-words[title$=" · 6 failed · finished"]'),
  ],
  ['the runs before there is one', { ...at('/runs'), ...given({ 'GET /api/runs': NO_RUNS }) }, '.prose pre'],
  ['a run that is not there', at(`/runs/${ID}`), 'main [role=alert]'],
  [
    'a project that is not there',
    given({ 'GET /api/projects/:id': refused(404, 'project not found') }),
    '.empty button',
  ],
  ['the gallery with a file that it refused', {}, '.uploads-refused', refuseFiles],
  [
    'the gallery in which nothing was found',
    {},
    '.empty h2',
    async (page) => {
      await page.waitForSelector('[data-image-id]');
      await page.type('input[type=search]', 'no such name');
    },
  ],
  [
    'an image that is not there',
    { ...at(`/images/${ID}`), ...given({ 'GET /api/images/:id': refused(404, 'image not found') }) },
    '.view-error [role=alert]',
  ],
  ['an address that is no page', at('/nowhere'), 'main code'],
];

describe('a page that is not in its usual state', () => {
  it.each(STATES)('can be used by everybody: %s', async (_, opening, shows, reach) => {
    const { page, errors } = await openPage('', opening);
    await reach?.(page);
    await page.waitForSelector(shows);
    expect(await faultsOf(page)).toEqual([]);
    expect(await unreachedOf(page)).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('can be used by everybody: the operator’s page whose line is lost', async () => {
    let lost = false;
    let failing = true;
    const { page } = await openPage('', {
      ...at('/'),
      silent: () => lost,
      answer: () => (failing ? LOST : undefined),
    });
    // Nothing that has not been read is fresh.
    await page.waitForSelector('[data-age="none"]');
    failing = false;
    await page.waitForSelector('[data-age="fresh"]');
    lost = true;
    await page.waitForSelector('[data-age="stale"]');
    expect(await faultsOf(page)).toEqual([]);
    expect(await unreachedOf(page)).toEqual([]);
  });

  it('can be used by everybody: the viewer of a failed image, with its menu open', async () => {
    let image: object = {};
    const { page } = await openPage('', {
      path: (project) => {
        image = failedImage(project);
        return `/images/${project.images[0]!.id}`;
      },
      answer: (route) => (route === 'GET /api/images/:id' ? { body: image } : undefined),
    });
    await page.locator('.view-export summary').click();
    await page.waitForSelector('.view-export[open] a[download]');
    expect(await page.$eval('.view-facts', (node) => node.textContent)).toContain('TIMEOUT: it took longer than 30 s');
    expect(await faultsOf(page)).toEqual([]);
    expect(await unreachedOf(page)).toEqual([]);
  });
});

/** A page, what it reads, what is answered at last, and what is there then. */
const LOADS: [page: string, path: string, route: string, body: unknown, shows: string][] = [
  ['runs', '/runs', 'GET /api/runs', NO_RUNS.body, '.prose pre'],
  ['one run', `/runs/${ID}`, 'GET /api/runs/:id', null, 'main > [role=alert]'],
  ['capacity', '/capacity', 'GET /api/forecasts', { items: [], score: null }, 'main > .faint'],
  ['keys', '/keys', 'GET /api/session', { keyId: ID, name: 'guest', scopes: ['read'] }, '[data-needs-admin]'],
];

describe('what could not be read', () => {
  /** Presses the button by a key, and says what is told and what has the focus afterwards. */
  async function again(page: Page) {
    await page.focus('[data-action="again"]');
    await page.evaluate(() => {
      const said: (string | null)[] = [];
      Object.assign(window, { said });
      new MutationObserver(() => said.push(document.querySelector('main [role=alert]')?.textContent ?? null)).observe(
        document.querySelector('main')!,
        { subtree: true, childList: true, characterData: true },
      );
    });
    await page.keyboard.press('Enter');
  }
  const said = (page: Page) => page.evaluate(() => (window as unknown as { said: (string | null)[] }).said);

  it.each(LOADS)(
    'is read anew when asked to, and told again while it fails: %s',
    async (_, path, route, body, shows) => {
      let reply: { status?: number; body: unknown } = LOST;
      const { page } = await openPage('', { ...at(path), answer: (asked) => (asked === route ? reply : undefined) });
      await page.waitForSelector('[data-action="again"]');
      const why = await page.$eval('main [role=alert]', (node) => node.textContent);
      expect(why).toContain('The database does not answer.');
      expect(await faultsOf(page)).toEqual([]);
      await again(page);
      await page.waitForFunction(() => (window as unknown as { said: unknown[] }).said.length === 2);
      expect(await said(page)).toEqual(['Loading', why]);
      expect(await page.evaluate(() => document.activeElement?.getAttribute('data-action'))).toBe('again');
      reply = body === null ? refused(404, 'run not found') : { body };
      await page.keyboard.press('Enter');
      await page.waitForSelector(shows);
      expect(await page.$('[data-action="again"]')).toBeNull();
    },
  );

  it('is read anew when asked to: an image', async () => {
    let lost = true;
    const { page } = await openPage('', {
      path: (project) => `/images/${project.images[3]!.id}`,
      answer: (route) => (lost && route === 'GET /api/images/:id' ? LOST : undefined),
    });
    await page.waitForSelector('[data-action="again"]');
    lost = false;
    await again(page);
    await page.waitForSelector('.view-stage');
    expect(await page.$('.view-error')).toBeNull();
  });
});
