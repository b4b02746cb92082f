import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

/** A button that asks before it acts. The question takes the button's place, and gives the focus back to it. */
export function Confirm(props: {
  label: string;
  /** For who does not see the row that the button stands in. */
  about?: string;
  ask: string;
  yes: string;
  no: string;
  disabled?: boolean;
  action?: string;
  /** What else is to be decided, beside the question. */
  children?: ComponentChildren;
  onYes: () => void;
}) {
  const open = useSignal(false);
  const first = useRef(true);
  const button = useRef<HTMLButtonElement>(null);
  const keep = useRef<HTMLButtonElement>(null);
  /** Where the focus goes when the button may be gone after it has acted. */
  const region = useRef<HTMLElement | null>(null);
  useLayoutEffect(() => {
    if (first.current) first.current = false;
    else if (open.value) {
      keep.current?.focus();
      // In a table that scrolls sideways the question is wider than the button was.
      keep.current?.parentElement?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
    } else (region.current ?? button.current)?.focus();
    region.current = null;
  }, [open.value]);
  if (!open.value)
    return (
      <button
        type="button"
        class="small"
        ref={button}
        disabled={props.disabled}
        data-action={props.action}
        aria-label={props.about && `${props.label}: ${props.about}`}
        onClick={() => (open.value = true)}
      >
        {props.label}
      </button>
    );
  const close = () => (open.value = false);
  return (
    <span
      class="confirm"
      role="group"
      aria-label={props.ask}
      onKeyDown={({ key }) => void (key === 'Escape' && close())}
    >
      <span>{props.ask}</span>
      {props.children}
      <button
        type="button"
        class="small danger"
        data-action={props.action && `${props.action}-yes`}
        onClick={({ currentTarget }) => {
          region.current = currentTarget.closest<HTMLElement>('[role="region"]');
          close();
          props.onYes();
        }}
      >
        {props.yes}
      </button>
      <button type="button" class="small" ref={keep} onClick={close}>
        {props.no}
      </button>
    </span>
  );
}
