import type { Browser, BrowserContext, Page } from 'puppeteer-core';
import { TEST_KEY } from './app.ts';

/** A page that tells what its policy forbade, and what went wrong in its scripts. */
export async function watchedPage(browser: Browser | BrowserContext): Promise<{ page: Page; violations: string[] }> {
  const page = await browser.newPage();
  const violations: string[] = [];
  await page.exposeFunction('tellViolation', (text: string) => void violations.push(text));
  await page.evaluateOnNewDocument(() => {
    const tell = (text: string) => (window as unknown as { tellViolation(text: string): void }).tellViolation(text);
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, sourceFile, lineNumber }) =>
      tell(`${effectiveDirective}: ${blockedURI} at ${sourceFile}:${lineNumber}`),
    );
  });
  page.on('pageerror', (error) => violations.push(String(error)));
  page.on('console', (message) => {
    if (/Content.Security.Policy|Refused to/i.test(message.text())) violations.push(message.text());
  });
  return { page, violations };
}

/** A page that is signed in, at a path of the service. */
export async function openSignedIn(browser: Browser, url: string, path: string, key = TEST_KEY) {
  const { page, violations } = await watchedPage(browser);
  await page.goto(`${url}/docs`);
  await page.evaluate(
    (token) => fetch('/api/session', { method: 'POST', headers: { authorization: `Bearer ${token}` } }),
    key,
  );
  await page.goto(url + path, { waitUntil: 'networkidle2' });
  return { page, violations };
}
