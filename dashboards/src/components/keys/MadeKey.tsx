import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { copyText } from '../../models/keys/copy-text.ts';
import type { Keys, Made } from '../../models/keys/Keys.ts';
import { WORDS } from '../../words/keys.ts';

const W = WORDS.made;

/** The token of a new key, or of one with a new secret, this once. It has the focus: nobody should go on without it. */
export function MadeKey({ made: { key, how }, keys }: { made: Made; keys: Keys }) {
  const field = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const copied = useSignal('');
  useLayoutEffect(() => button.current?.focus(), [key.token]);
  const copy = async (): Promise<void> => {
    const done = await copyText(field.current!);
    copied.value = done ? W.copied : W.notCopied;
    keys.live.announce(copied.value, true);
    if (done) button.current?.focus();
  };
  return (
    <section class="panel key-made" aria-labelledby="made-key" data-made={key.id}>
      <h2 id="made-key">{W.titles[how](key.name)}</h2>
      <p>{W.once}</p>
      <div class="key-token">
        <input ref={field} readOnly aria-label={W.label} value={key.token} spellcheck={false} />
        <button type="button" class="primary" ref={button} data-action="copy" onClick={() => void copy()}>
          {W.copy}
        </button>
        <button type="button" data-action="kept" onClick={() => keys.kept()}>
          {W.done}
        </button>
      </div>
      <p class="faint">{copied}</p>
    </section>
  );
}
