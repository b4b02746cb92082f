/**
 * Violations planted in the page, each a script that runs before the page's own. `whenDone(work)` calls `work` once for every batch
 * that the progress bar shows at its end. Times are past twice their limit: there the judge blames no noise of the machine.
 */
const WHEN_DONE = `
const whenDone = (work) => {
  const seen = new Set();
  const look = () => {
    const bar = document.querySelector('[role=progressbar]');
    const id = bar && bar.getAttribute('data-batch-id');
    if (!id || seen.has(id) || bar.getAttribute('aria-valuenow') !== bar.getAttribute('aria-valuemax')) return;
    seen.add(id);
    work(id);
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });
};
const block = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
`;
const inPage = (body: string): string => `if (window === window.top) { ${WHEN_DONE} ${body} }`;

/** The page hangs when its batch is over. */
export const SLOW_TO_SETTLE = inPage(`whenDone(() => setTimeout(() => block(4500)));`);

/** The page asks for overlays one by one. */
export const ONE_BY_ONE = inPage(`whenDone(() => {
  const ids = [...document.querySelectorAll('[data-image-id]')].map((cell) => cell.dataset.imageId);
  for (let index = 0; index < 11; index++) fetch('/api/images/' + ids[index % ids.length] + '/overlay?w=32&f=png');
});`);

/** The page tells of its batch twice. */
export const SECOND_TOAST = inPage(`whenDone((id) => {
  const toast = document.createElement('div');
  toast.dataset.toast = id;
  document.body.append(toast);
});`);

/** The page keeps what it has shown. */
export const KEEPS_RESULTS = inPage(`const kept = []; globalThis.keptByPlant = kept;
whenDone(() => kept.push(new Uint8Array(300e6).fill(1)));`);

/** The page works before it paints. */
export const LATE_PAINT = inPage(`block(6500);`);

/** The page works on every frame while it is scrolled. */
export const JANKY_SCROLL = inPage(`addEventListener('scroll', () => block(45), { capture: true, passive: true });`);
