#!/usr/bin/env node
// Accessibility of the pages by axe-core, which somebody else's licence keeps out of our packages: light and dark, wide and narrow.
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { launchBrowser } from '../../loadtest/src/environment/browser.ts';
import { seedFinishedProject } from '../../loadtest/src/load/finished-project.ts';
import { KEY, startService } from './kit.mjs';

const USAGE = 'node test/outside/axe.mjs --axe PATH/axe.min.js [--shots DIR]   (npm install axe-core, anywhere)';
const { values } = parseArgs({ options: { axe: { type: 'string' }, shots: { type: 'string' } } });
if (!values.axe) {
  console.error(USAGE);
  process.exit(2);
}
const source = await readFile(values.axe, 'utf8').catch(() => null);
if (source === null) {
  console.error(`${values.axe} is not there: ${USAGE}`);
  process.exit(3);
}

/** What is done on a page before it is looked at. */
const STATES = {
  gallery: async () => {},
  'gallery, selected': async (page) => {
    await page.focus('[data-gallery-grid]');
    for (const key of ['ArrowRight', ' ', 'ArrowRight', ' ']) await page.keyboard.press(key);
    await page.waitForSelector('[data-selected="2"]');
  },
  'gallery, refused upload': async (page) => {
    await page.evaluate(() => {
      const file = new File(['no picture'], 'notes.txt', { type: 'text/plain' });
      const transfer = new DataTransfer();
      transfer.items.add(file);
      const input = document.querySelector('input[type=file]');
      input.files = transfer.files;
      input.dispatchEvent(new Event('change'));
    });
    await page.waitForSelector('[data-uploads="over"]');
  },
  'gallery, trial': async (page) => {
    await page.locator('[data-action="try-first"]').click();
    await page.waitForSelector('[data-trial]');
    await page.waitForSelector('[data-toast]');
  },
  'gallery, nothing found': async (page) => {
    await page.type('input[type=search]', 'no such name');
    await page.waitForSelector('.empty h2');
  },
  'gallery, exporting': async (page) => {
    await page.click('.gallery-export summary');
    await page.waitForSelector('[data-export]');
  },
  viewer: async () => {},
  'viewer, exporting': async (page) => {
    await page.locator('.view-export summary').click();
  },
};
const LOOKS = [
  { name: 'light, wide', scheme: 'light', width: 1280, height: 800 },
  { name: 'dark, narrow', scheme: 'dark', width: 390, height: 844 },
];

const service = await startService();
const launched = await launchBrowser({ tempDir: service.dataDir, env: {}, log: () => {} });
let found = 0;
try {
  const seeded = { dataDir: service.dataDir, name: 'plate 7', images: 300, pictures: 16, side: 256, seed: 1 };
  const { projectId } = await seedFinishedProject(service.sql, seeded);
  const [image] =
    await service.sql`SELECT id FROM images WHERE project_id = ${projectId} ORDER BY created_at, id LIMIT 1`;
  for (const look of LOOKS)
    for (const [state, prepare] of Object.entries(STATES)) {
      const page = await launched.browser.newPage();
      await page.setViewport({ width: look.width, height: look.height });
      await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: look.scheme }]);
      await page.goto(`${service.url}/docs`);
      await page.evaluate(
        (key) => fetch('/api/session', { method: 'POST', headers: { authorization: `Bearer ${key}` } }),
        KEY,
      );
      const gallery = state.startsWith('gallery');
      await page.goto(service.url + (gallery ? `/projects/${projectId}` : `/images/${image.id}`));
      await page.waitForSelector(gallery ? '[data-image-id]' : '.view-stage');
      await prepare(page);
      await new Promise((resolve) => setTimeout(resolve, 600));
      await page.evaluate(source);
      const { violations } = await page.evaluate(() => window.axe.run());
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      console.log(`${state}, ${look.name}: ${violations.length} violations${wide > 0 ? `, ${wide} px too wide` : ''}`);
      for (const { id, help, nodes } of violations)
        console.log(`  ${id}: ${help}\n    ${nodes.map(({ html }) => html.slice(0, 160)).join('\n    ')}`);
      found += violations.length + (wide > 0 ? 1 : 0);
      if (values.shots)
        await page.screenshot({ path: `${values.shots}/${`${state} ${look.name}`.replaceAll(/\W+/g, '-')}.png` });
      await page.close();
    }
} finally {
  await launched.close();
  await service.stop();
}
process.exit(found > 0 ? 1 : 0);
