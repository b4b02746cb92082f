import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { formatDuration } from '../../models/format.ts';
import type { Operator } from '../../models/operator/Operator.ts';
import { STALE_MS } from '../../models/operator/verdict.ts';
import { WORDS } from '../../words/operator.ts';
import { Icon } from '../Icon.tsx';

/** Its clock is the page's own: when nothing is read any more, the age goes on. */
export function VerdictBar({ operator }: { operator: Operator }) {
  const now = useSignal(performance.now());
  useEffect(() => {
    const timer = setInterval(() => {
      now.value = performance.now();
      operator.tellVerdict();
    }, 1000);
    return () => clearInterval(timer);
  }, [operator]);
  const { tone, title, cause } = operator.verdictAt(now.value);
  const { at } = operator.now.state.value;
  const ageMs = at === null ? null : Math.max(0, now.value - at);
  const stale = ageMs !== null && ageMs > STALE_MS;
  const age = formatDuration((ageMs ?? 0) / 1000);
  return (
    <section class={`verdict verdict-${tone}`} aria-label={WORDS.verdict.label}>
      <span class="verdict-icon" aria-hidden="true">
        <Icon name={tone} size={18} />
      </span>
      <p>
        <b>{title}.</b> {cause}
      </p>
      <span class={`age${stale ? ' age-stale' : ''}`} data-age={ageMs === null ? 'none' : stale ? 'stale' : 'fresh'}>
        {stale && <Icon name="warn" size={12} />}{' '}
        {ageMs === null ? WORDS.verdict.noData : stale ? WORDS.verdict.lost(age) : WORDS.verdict.data(age)}
      </span>
    </section>
  );
}
