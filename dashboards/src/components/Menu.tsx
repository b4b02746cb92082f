import type { Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

/** A button with a panel below it. A press beside it closes it, and so does Escape, which gives the focus back to the button. */
export function Menu(props: {
  open: Signal<boolean>;
  name: string;
  label: ComponentChildren;
  children: ComponentChildren;
}) {
  const { open, name, label, children } = props;
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event): void => {
      if (!open.peek()) return;
      if (event instanceof KeyboardEvent) {
        if (event.key !== 'Escape') return;
        if (menu.current?.contains(document.activeElement)) focusMenu(menu.current);
      } else if (menu.current?.contains(event.target as Node)) return;
      open.value = false;
    };
    addEventListener('pointerdown', close);
    addEventListener('keydown', close);
    return () => {
      removeEventListener('pointerdown', close);
      removeEventListener('keydown', close);
    };
  }, [open]);
  return (
    <details
      class={`menu ${name}`}
      ref={menu}
      open={open.value}
      onToggle={({ currentTarget }) => (open.value = currentTarget.open)}
    >
      <summary>{label}</summary>
      <div class="menu-panel">{children}</div>
    </details>
  );
}

/** To the button of the menu that a node is in: where the focus goes when what has it goes away. */
export function focusMenu(within: Element): void {
  within.closest('details')?.querySelector('summary')?.focus();
}
