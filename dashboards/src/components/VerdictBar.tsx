import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { formatDuration } from '../models/format.ts';
import type { Operator } from '../models/Operator.ts';
import { verdictOf } from '../models/verdict.ts';
import { Icon } from './Icon.tsx';

export function VerdictBar({ operator }: { operator: Operator }) {
  const now = useSignal(performance.now());
  useEffect(() => {
    const timer = setInterval(() => (now.value = performance.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const health = operator.health.state.value;
  const { tone, title, cause } = verdictOf(health, operator.queue.state.value, now.value);
  const age = health.at === null ? '–' : formatDuration(Math.max(0, now.value - health.at) / 1000);
  return (
    <section class={`verdict verdict-${tone}`} aria-label="State of the service">
      <span class="verdict-icon" aria-hidden="true">
        <Icon name={tone} size={18} />
      </span>
      <p>
        <b>{title}.</b> {cause}
      </p>
      <span class="age">data {age} old</span>
    </section>
  );
}
