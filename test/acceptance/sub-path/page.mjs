/** A page that keeps what went wrong in it. */
export async function openPage(browser) {
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.setViewport({ width: 1280, height: 800 });
  const wrong = [];
  page.on('pageerror', (error) => wrong.push(String(error)));
  page.on('response', (reply) => {
    const { pathname } = new URL(reply.url());
    if (reply.status() >= 400 && pathname !== '/favicon.ico') wrong.push(`${reply.status()} ${pathname}`);
  });
  page.on('requestfailed', (request) => {
    // Called off by the page itself: it went elsewhere.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED')
      wrong.push(`${request.failure()?.errorText} ${request.url()}`);
  });
  page.on('console', (message) => {
    if (message.type() === 'error' && !/favicon/.test(message.location().url ?? '')) wrong.push(message.text());
  });
  return { context, page, wrong };
}
