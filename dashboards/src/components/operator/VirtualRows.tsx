import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { rowsInSight } from '../../models/operator/rows.ts';

/** A list of rows of one height, of which those in sight are in the document. */
export function VirtualRows<T>(props: {
  items: readonly T[];
  rowPx: number;
  label: string;
  keyOf: (item: T) => string;
  children: (item: T) => ComponentChildren;
}) {
  const { items, rowPx } = props;
  const frame = useRef<HTMLDivElement>(null);
  const scrollTop = useSignal(0);
  const height = useSignal(400);
  /** By its key: rows change their places. */
  const focused = useSignal<string | null>(null);
  useLayoutEffect(() => {
    const seen = new ResizeObserver(([entry]) => (height.value = entry!.contentRect.height));
    seen.observe(frame.current!);
    return () => seen.disconnect();
  }, []);
  const at = focused.value === null ? -1 : items.findIndex((item) => props.keyOf(item) === focused.value);
  const rows = rowsInSight({
    count: items.length,
    rowPx,
    scrollTop: scrollTop.value,
    height: height.value,
    focused: at < 0 ? null : at,
  });
  return (
    <div
      class="rows-frame scroll-y"
      ref={frame}
      tabIndex={0}
      role="region"
      aria-label={props.label}
      onScroll={({ currentTarget }) => (scrollTop.value = currentTarget.scrollTop)}
    >
      <ul class="rows" style={{ height: `${items.length * rowPx}px` }}>
        {rows.map((row) => {
          const item = items[row]!;
          const key = props.keyOf(item);
          return (
            <li
              key={key}
              aria-setsize={items.length}
              aria-posinset={row + 1}
              onFocusIn={() => (focused.value = key)}
              onFocusOut={() => (focused.value = null)}
            >
              {/* The moved node has no `style` of its own: Chromium 153 loses what changes in its descendants' looks beside one. */}
              <div class="row" style={{ height: `${rowPx}px`, transform: `translateY(${row * rowPx}px)` }}>
                {props.children(item)}
              </div>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
