/** Script for a page: intervals of its animation frames for so long, ms, the first one left out. */
export const framesFor = (ms: number): string => `new Promise((resolve) => {
  const intervals = [];
  const start = performance.now();
  let last = start;
  const tick = (now) => {
    intervals.push(now - last);
    last = now;
    if (now - start < ${ms}) requestAnimationFrame(tick);
    else resolve(intervals.slice(1));
  };
  requestAnimationFrame(tick);
})`;
