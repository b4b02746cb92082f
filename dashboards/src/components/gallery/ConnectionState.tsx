import { useSignal, useSignalEffect } from '@preact/signals';
import { formatDuration } from '../../models/format.ts';
import type { Gallery } from '../../models/gallery/Gallery.ts';
import { WORDS } from '../../words/gallery.ts';
import { Icon } from '../Icon.tsx';

const W = WORDS.connection;

/** Live, or how old the page's data is: while connected nothing ticks. */
export function ConnectionState({ gallery }: { gallery: Gallery }) {
  const state = gallery.connection.value;
  const now = useSignal(performance.now());
  useSignalEffect(() => {
    if (gallery.connection.value === 'live') return undefined;
    now.value = performance.now();
    const timer = setInterval(() => (now.value = performance.now()), 1000);
    return () => clearInterval(timer);
  });
  const load = gallery.feed.load.value;
  if (load === 'failed') return null;
  if (load === 'loading') return <span class="connection">{W.loading}</span>;
  if (state === 'live')
    return (
      <span class="connection connection-live">
        <Icon name="dot" size={12} /> {W.live}
      </span>
    );
  const last = gallery.feed.socket.lastFrameAt.value;
  const age = last > 0 ? W.age(formatDuration(Math.max(0, now.value - last) / 1000)) : '';
  return (
    <span class="connection connection-lost">
      <Icon name="ring" size={12} /> {state === 'quiet' ? W.quiet : last > 0 ? W.again : W.first}
      {age}
    </span>
  );
}
