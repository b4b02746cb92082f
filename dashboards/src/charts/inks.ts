import type { Inks } from './plot.ts';

/** A colour as the style sheets have it now, light or dark: what `light-dark()` came to. */
function colourOf(host: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.className = `ink ink-${name}`;
  host.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
export const inksOf = (host: HTMLElement, lines: number): Inks => ({
  lines: Array.from({ length: lines }, (_, line) => colourOf(host, `line-${line + 1}`)),
  axis: colourOf(host, 'axis'),
  grid: colourOf(host, 'grid'),
  budget: colourOf(host, 'budget'),
});
