/** Drawn, not typed: a font may lack the glyph. */
const PATHS = {
  good: 'M2 6.3 4.8 9 10 3.3',
  warn: 'M6 1.8 11 10.4H1zM6 5v2.4M6 8.7v.1',
  bad: 'M6 1.5v5.2M6 9.6v.1',
  running: 'M6 1.5A4.5 4.5 0 1 1 1.5 6',
  paused: 'M4 2.5v7M8 2.5v7',
  unknown: 'M2.5 6h.1M6 6h.1M9.5 6h.1',
  dot: 'M6 4.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z',
  ring: 'M6 3a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
  back: 'M10 6H2.5M5.5 2.8 2.3 6l3.2 3.2',
  close: 'M3 3l6 6M9 3 3 9',
} as const;

export function Icon({ name, size = 14 }: { name: keyof typeof PATHS; size?: number }) {
  return (
    <svg class={`icon icon-${name}`} viewBox="0 0 12 12" width={size} height={size} aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
