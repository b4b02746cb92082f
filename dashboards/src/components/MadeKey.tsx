import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { copyText } from '../models/copy-text.ts';
import type { Made } from '../models/Keys.ts';
import { WORDS } from '../words/keys.ts';

const W = WORDS.made;

/** The token of a new key, or of one with a new secret, this once. It has the focus: nobody should go on without it. */
export function MadeKey({ made: { key, how }, onKept }: { made: Made; onKept: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const copied = useSignal<boolean | null>(null);
  useLayoutEffect(() => button.current?.focus(), [key.token]);
  const copy = async (): Promise<void> => {
    const done = await copyText(field.current!);
    copied.value = done;
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
        <button type="button" data-action="kept" onClick={onKept}>
          {W.done}
        </button>
      </div>
      <p role="status" class="faint">
        {copied.value !== null && (copied.value ? W.copied : W.notCopied)}
      </p>
    </section>
  );
}
