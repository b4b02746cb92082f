import type { Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSeenService, type SeenService } from '../../service/test/support/seen-service.ts';
import { faultsOf } from './accessible.ts';

let seen: SeenService;
beforeAll(async () => {
  seen = await startSeenService();
});
afterAll(() => seen?.close());

/** What a person did, oldest first, as the audit has it. */
async function audit(): Promise<string[][]> {
  const reply = await seen.service.call('/api/audit?limit=20');
  const { items } = (await reply.json()) as { items: { action: string; targetId: string; keyName: string }[] };
  return items.toReversed().map(({ action, targetId, keyName }) => [action, targetId, keyName]);
}
const overflow = (page: Page) =>
  page.evaluate(() => ({
    right: document.documentElement.scrollWidth - innerWidth,
    below: document.documentElement.scrollHeight - innerHeight,
  }));

describe('the operator’s page', () => {
  it('retries what failed, and pauses, resumes and cancels a batch, each after a click or two, with a row of who did it', async () => {
    const { page, violations } = await seen.open('/');
    await page.waitForSelector('[data-code="TIMEOUT"] img');
    await page.waitForFunction(() => document.querySelector<HTMLImageElement>('[data-code] img')!.naturalWidth > 0);
    await page.locator('[data-action="retry"]').click();
    await page.locator('[data-action="retry-yes"]').click();
    const retried = await page.waitForSelector('[data-retry]');
    const retryId = await retried!.evaluate((node) => node.getAttribute('data-retry')!);
    const row = `[data-batch="${retryId}"]`;
    await page.waitForSelector(`${row} [data-action="pause"]:not(:disabled)`);
    await page.locator(`${row} [data-action="pause"]`).click();
    await page.waitForSelector(`${row} [data-action="resume"]:not(:disabled)`);
    await page.locator(`${row} [data-action="resume"]`).click();
    await page.waitForSelector(`${row} [data-action="pause"]:not(:disabled)`);
    await page.locator(`${row} [data-action="cancel"]`).click();
    // the question has the focus, and does nothing by itself
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Keep');
    await page.locator(`${row} [data-action="cancel-yes"]`).click();
    await page.waitForSelector(`${row}.batch-cancelled`);
    const made = (await (await seen.service.call(`/api/batches/${retryId}`)).json()) as {
      retryOf: string;
      status: string;
    };
    expect(made).toMatchObject({ retryOf: seen.failedBatchId, status: 'cancelled' });
    expect((await audit()).slice(-4)).toEqual([
      ['POST /api/batches/:id/retry', retryId, 'bootstrap'],
      ['POST /api/batches/:id/pause', retryId, 'bootstrap'],
      ['POST /api/batches/:id/resume', retryId, 'bootstrap'],
      ['POST /api/batches/:id/cancel', retryId, 'bootstrap'],
    ]);
    expect(violations).toEqual([]);
    await page.close();
  });

  it('shows the age of its data while the line is lost, and catches up by itself', async () => {
    const { page } = await seen.open('/');
    // age and readings come by two requests: this one waits for the readings
    await page.waitForSelector('[data-age="fresh"]');
    await page.locator('[data-action="take-baseline"]').click();
    const baseline = () =>
      page.waitForFunction(() => /Baseline of/.test(document.querySelector('.baseline-bar')?.textContent ?? ''));
    await baseline();
    await page.setOfflineMode(true);
    await page.waitForSelector('[data-age="stale"]', { timeout: 15_000 });
    expect(await page.$eval('.verdict', (node) => node.textContent)).toContain('No news');
    // a page that hangs would not do this
    await page.locator('.windows button:last-child').click();
    await page.waitForSelector('.windows button:last-child[aria-pressed="true"]');
    await page.setOfflineMode(false);
    await page.waitForSelector('[data-age="fresh"]', { timeout: 10_000 });
    await page.reload();
    await baseline();
    await page.close();
  });

  it('is one screen on a desk, also with more projects than it has room for', async () => {
    // more than a screen can hold
    for (let index = 0; index < 30; index++)
      await seen.service.call('/api/projects', { method: 'POST', json: { name: `plate ${index}` } });
    const { page } = await seen.open('/');
    await page.setViewport({ width: 1280, height: 800 });
    await page.waitForSelector('.plot canvas');
    expect(await overflow(page)).toEqual({ right: 0, below: 0 });
    expect(await faultsOf(page)).toEqual([]);
    await page.close();
  });
});

describe('the page of runs', () => {
  it('lists runs, compares two, and calls times of different machines incomparable', async () => {
    const { page, violations } = await seen.open('/runs');
    await page.waitForSelector('[data-run]');
    for (const box of await page.$$('[data-run] input')) await box.click();
    await page.locator('a.compare-link').click();
    await page.waitForSelector('[data-metric]');
    const changes = await page.$$eval('[data-metric]', (rows) =>
      rows.map((row) => [row.getAttribute('data-metric'), row.getAttribute('data-change')]),
    );
    expect(changes).toEqual([
      ['ui_settle_ms', 'incomparable'],
      ['toasts', 'worse'],
    ]);
    expect(await page.$eval('[data-differs]', (node) => node.textContent)).toContain('another CPU');
    expect(await faultsOf(page)).toEqual([]);
    expect(violations).toEqual([]);
    await page.close();
  });

  it('opens a report that has its style and runs no script', async () => {
    const { page } = await seen.open('/runs');
    const reply = await page.goto(`${seen.service.url}/api/runs/${seen.runIds[1]}/report`);
    expect(reply!.headers()['content-security-policy']).toMatch(/^sandbox /);
    expect(await page.title()).toBe('report');
    expect(await page.$eval('p', (node) => getComputedStyle(node).color)).toBe('rgb(0, 128, 128)');
    expect(await page.evaluate(() => origin)).toBe('null');
    await page.close();
  });
});

describe('the page of keys', () => {
  const focused = (page: Page) =>
    page.evaluate(() => {
      const { dataset, textContent, name } = document.activeElement as HTMLInputElement;
      return dataset['action'] ?? (name || textContent);
    });
  const reads = async (key: string) => (await seen.service.call('/api/projects', { key })).status;

  it('makes a key, shows it this once, gives it a new secret, and revokes it, with a row of who did it', async () => {
    const { page, violations } = await seen.open('/keys');
    await page.waitForSelector('[data-key][data-state="active"]');
    await page.type('.key-form input[name=name]', 'microscope 2');
    await page.locator('input[name=scope][value=write]').click();
    await page.select('select[name=expiry]', 'month');
    await page.locator('.key-form button[type=submit]').click();
    const made = await page.waitForSelector('[data-made]');
    const id = (await made!.evaluate((node) => node.getAttribute('data-made')))!;
    const token = await page.$eval('.key-token input', (field) => field.value);
    expect(await focused(page)).toBe('copy');
    expect(await faultsOf(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelector('[role=status]')?.textContent === 'Copied');
    expect(await reads(token)).toBe(200);
    expect((await seen.service.call('/api/keys', { key: token })).status).toBe(403);

    await page.locator('[data-action="kept"]').click();
    await page.waitForSelector('.key-form');
    expect(await focused(page)).toBe('name');
    expect(await page.content()).not.toContain(token);
    // what was copied is the key
    await page.keyboard.down('Control');
    await page.keyboard.press('v');
    await page.keyboard.up('Control');
    expect(await page.$eval('.key-form input[name=name]', (field) => (field as HTMLInputElement).value)).toBe(token);

    const row = `[data-key="${id}"]`;
    expect(await page.$eval(row, (node) => node.textContent)).toMatch(/^microscope 2.*read, write/);
    await page.locator(`${row} [data-action="rotate"]`).click();
    expect(await focused(page)).toBe('Keep the old');
    expect(await faultsOf(page)).toEqual([]);
    await page.select(`${row} select[name=overlap]`, 'none');
    await page.locator(`${row} [data-action="rotate-yes"]`).click();
    await page.waitForSelector(`[data-made="${id}"]`);
    expect(await focused(page)).toBe('copy');
    const next = await page.$eval('.key-token input', (field) => field.value);
    expect([await reads(token), await reads(next)]).toEqual([401, 200]);
    await page.locator('[data-action="kept"]').click();
    await page.waitForSelector('.key-form');
    expect(await page.content()).not.toContain(next);

    await page.locator(`${row} [data-action="revoke"]`).click();
    expect(await focused(page)).toBe('Keep');
    await page.locator(`${row} [data-action="revoke-yes"]`).click();
    await page.waitForSelector(`${row}[data-state="revoked"]`);
    expect(await reads(next)).toBe(401);
    expect((await audit()).slice(-3)).toEqual([
      ['POST /api/keys', id, 'bootstrap'],
      ['POST /api/keys/:id/rotate', id, 'bootstrap'],
      ['DELETE /api/keys/:id', id, 'bootstrap'],
    ]);
    expect(violations).toEqual([]);
    await page.close();
  });

  it('keeps whoever gives their own key a new secret signed in, and ends the one before', async () => {
    const json = { name: 'own', scopes: ['read', 'admin'] };
    const reply = await seen.service.call('/api/keys', { method: 'POST', json });
    const { id, token } = (await reply.json()) as { id: string; token: string };
    const { page } = await seen.open('/keys', token);
    await page.locator(`[data-key="${id}"] [data-action="rotate"]`).click();
    await page.locator('[data-action="rotate-yes"]').click();
    await page.waitForSelector(`[data-made="${id}"]`);
    const next = await page.$eval('.key-token input', (field) => field.value);
    expect([await reads(token), await reads(next)]).toEqual([401, 200]);
    await page.reload();
    await page.waitForSelector(`[data-key="${id}"][data-state="active"]`);
    await page.close();
  });

  it('says what is missing to who may not manage keys, and signs out', async () => {
    const reply = await seen.service.call('/api/keys', { method: 'POST', json: { name: 'guest', scopes: ['read'] } });
    const { token } = (await reply.json()) as { token: string };
    const { page } = await seen.open('/keys', token);
    await page.waitForSelector('[data-needs-admin]');
    expect(await page.$eval('main', (node) => node.textContent)).toMatch(/“guest” \(read\).*needs the scope admin/);
    expect(await page.$('[data-key], .key-form')).toBeNull();
    expect(await faultsOf(page)).toEqual([]);
    await page.locator('[data-action="sign-out"]').click();
    await page.waitForSelector('.sign-in input[name=key]');
    await page.type('.sign-in input[name=key]', 'no key at all');
    await page.locator('.sign-in button').click();
    await page.waitForSelector('.sign-in [role=alert]');
    expect(await faultsOf(page)).toEqual([]);
    await page.close();
  });
});
