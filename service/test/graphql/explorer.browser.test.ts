import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sequenceOnce } from '../../src/events/sequencer.ts';
import { TEST_KEY, type TestApp } from '../support/app.ts';
import { startWithBrowser } from '../support/browser.ts';
import { uploadPictures } from '../support/results.ts';
import { newProject } from './support.ts';

let pages: Awaited<ReturnType<typeof startWithBrowser>>;
let service: TestApp;
beforeAll(async () => {
  pages = await startWithBrowser();
  ({ service } = pages);
});
afterAll(() => pages?.close());

async function openPage(width: number, height: number) {
  const page = await pages.browser.newPage();
  await page.setViewport({ width, height });
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('request', (request) => void (request.url().startsWith(service.url) || foreign.push(request.url())));
  await page.goto(`${service.url}/graphql`, { waitUntil: 'networkidle0' });
  const fill = (id: string, text: string) =>
    page.$eval(id, (element, value) => ((element as HTMLTextAreaElement).value = value), text);
  const answered = async (text: string) => {
    await page.waitForFunction((wanted) => document.querySelector('#answer')!.textContent!.includes(wanted), {}, text);
    return page.$eval('#answer', (element) => element.textContent ?? '');
  };
  return { page, complaints, foreign, fill, answered };
}

describe('the page to try queries with', () => {
  it.each([
    [1280, 800],
    [390, 844],
  ])('sends a query with a key and lists the schema at %i x %i', async (width, height) => {
    const project = await newProject(service, `seen at ${width}`);
    const { page, complaints, foreign, fill, answered } = await openPage(width, height);
    await page.type('#key', TEST_KEY);
    await fill('#query', 'query ($id: ID!) { project(id: $id) { title owner { name } } }');
    await fill('#variables', JSON.stringify({ id: project.id }));
    await page.locator('#run').click();
    expect(JSON.parse(await answered(project.name))).toMatchObject({
      data: { project: { title: project.name, owner: { name: 'bootstrap' } } },
    });
    await page.locator('#load').click();
    await page.waitForFunction(() => document.querySelectorAll('#schema details').length > 20);
    expect(await page.$eval('#schema', (element) => element.textContent)).toContain(
      'segmentationProgress(taskId: String!)',
    );
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth)).toBe(true);
    expect({ complaints, foreign }).toEqual({ complaints: [], foreign: [] });
    await page.close();
  });

  it('follows a batch with a session, over its socket', async () => {
    const project = await newProject(service);
    await uploadPictures(service, project.id, 1);
    const started = await service.call(`/api/projects/${project.id}/batches`, { method: 'POST', json: { all: true } });
    const { id } = (await started.json()) as { id: string };
    const { page, fill, answered } = await openPage(1280, 800);
    await page.evaluate(
      (key) => fetch('/api/session', { method: 'POST', headers: { authorization: `Bearer ${key}` } }),
      TEST_KEY,
    );
    await fill('#query', 'subscription ($id: String!) { segmentationProgress(taskId: $id) { status percentage } }');
    await fill('#variables', JSON.stringify({ id }));
    await page.locator('#run').click();
    await answered('"queued"');
    await service.call(`/api/batches/${id}/cancel`, { method: 'POST' });
    while (await sequenceOnce(service.sql));
    expect(JSON.parse(await answered('"cancelled"'))).toMatchObject([
      { data: { segmentationProgress: { status: 'cancelled', percentage: 100 } } },
      { data: { segmentationProgress: { status: 'queued', percentage: 0 } } },
    ]);
    await page.close();
  });
});
