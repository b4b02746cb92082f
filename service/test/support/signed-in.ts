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
  const headers = { authorization: `Bearer ${key}` };
  const reply = await fetch(`${url}/api/session`, { method: 'POST', headers });
  const [name = '', value = ''] = reply.headers.getSetCookie()[0]!.split(';')[0]!.split('=');
  await browser.setCookie({
    name,
    value,
    domain: new URL(url).hostname,
    path: '/',
    httpOnly: true,
    sameSite: 'Strict',
  });
  const { page, violations } = await watchedPage(browser);
  await page.goto(url + path);
  return { page, violations };
}
