import { useSignal, useSignalEffect } from '@preact/signals';
import { formatDuration } from '../models/format.ts';
import type { Gallery } from '../models/Gallery.ts';
import { Icon } from './Icon.tsx';

/** Live, or for how long not: while connected nothing ticks. */
export function ConnectionState({ gallery }: { gallery: Gallery }) {
  const state = gallery.connection.value;
  const now = useSignal(performance.now());
  useSignalEffect(() => {
    if (gallery.connection.value !== 'waiting') return undefined;
    const timer = setInterval(() => (now.value = performance.now()), 1000);
    return () => clearInterval(timer);
  });
  if (gallery.feed.load.value !== 'ready') return <span class="connection">Loading</span>;
  if (state === 'live')
    return (
      <span class="connection connection-live">
        <Icon name="dot" size={12} /> Live
      </span>
    );
  const age = Math.max(0, now.value - gallery.feed.socket.lastFrameAt.value) / 1000;
  return (
    <span class="connection connection-lost">
      <Icon name="ring" size={12} />{' '}
      {state === 'waiting' ? `Reconnecting · data is ${formatDuration(age)} old` : 'Connecting'}
    </span>
  );
}
