import { toneOfVerdict } from '../../models/runs/runs.ts';
import { Icon } from '../Icon.tsx';

/** Colour, shape and word. */
export function VerdictMark({ verdict }: { verdict: string }) {
  const tone = toneOfVerdict(verdict);
  return (
    <span class={`verdict-mark verdict-mark-${tone}`}>
      <Icon name={tone} size={12} /> {verdict}
    </span>
  );
}
