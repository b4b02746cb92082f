import { useComputed, useSignalEffect } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { rowTop } from '../../models/gallery/grid-geometry.ts';
import type { Gallery } from '../../models/gallery/Gallery.ts';
import { WORDS } from '../../words/gallery.ts';
import { cellId } from './Cell.tsx';
import { Row } from './Row.tsx';

/**
 * Scroll box with as many cells as fit; the box is as high as all images, up to the browser's limit. It keeps the focus itself and names
 * the cell that the keyboard is at, so that nothing is lost when cells come and go.
 */
export function VirtualGrid({ gallery }: { gallery: Gallery }) {
  const { grid, selection, whole } = gallery;
  const box = useRef<HTMLDivElement>(null);
  const scrollHeight = useComputed(() => grid.metrics.value.scrollHeight);

  useLayoutEffect(() => {
    const element = box.current!;
    const measure = (): void => {
      const style = getComputedStyle(element);
      const padding = Number.parseFloat(style.paddingLeft) + Number.parseFloat(style.paddingRight);
      grid.size.value = { width: element.clientWidth - padding, height: element.clientHeight };
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [grid]);
  useEffect(() => {
    const element = box.current!;
    // Scroll events come once a frame, before it is drawn: what is set here is in that very frame.
    const onScroll = (): void => {
      grid.scrollTop.value = element.scrollTop;
    };
    element.addEventListener('scroll', onScroll, { passive: true });
    return () => element.removeEventListener('scroll', onScroll);
  }, [grid]);
  useSignalEffect(() => {
    const top = grid.wantedTop.value;
    if (top === null || scrollHeight.value === 0 || grid.size.value.height === 0) return;
    grid.wantedTop.value = null;
    // The box has its new height only after this render.
    requestAnimationFrame(() => (box.current!.scrollTop = top));
  });

  const onClick = (event: MouseEvent): void => {
    const cell = event.target instanceof Element ? event.target.closest('.cell') : null;
    if (!cell) return;
    const place = Number(cell.getAttribute('aria-posinset')) - 1;
    const ticked = event.target instanceof Element && event.target.matches('.tick');
    if (!ticked && !event.shiftKey && !event.ctrlKey && !event.metaKey) return gallery.leaveFor(place);
    event.preventDefault();
    whole.forget();
    if (event.shiftKey) selection.extendTo(place);
    else selection.toggle(place);
    box.current!.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.altKey || !act(event)) return;
    event.preventDefault();
  };
  /** @returns whether the key means anything here */
  function act(event: KeyboardEvent): boolean {
    const { key, shiftKey, ctrlKey, metaKey } = event;
    const place = selection.active.peek();
    const all = key === 'a' && (ctrlKey || metaKey);
    whole.forget();
    // The box has the height of all images only after the render that follows.
    if ((all || key === 'End') && whole.wait(() => requestAnimationFrame(() => act(event)))) return true;
    if (all) selection.all();
    if (ctrlKey || metaKey) return all;
    if (key === 'Escape') selection.clear();
    else if (key === ' ' && place >= 0) {
      if (shiftKey) selection.extendTo(place);
      else selection.toggle(place);
    } else if (key === 'Enter' && place >= 0) document.getElementById(cellId(place))?.click();
    else {
      const next = grid.placeAfter(key, place);
      if (next === null) return false;
      if (shiftKey) selection.extendTo(next);
      else selection.moveTo(next);
      box.current!.scrollTop = grid.scrollTopFor(next);
      // Before its event: the list names a cell only where there is one.
      grid.scrollTop.value = box.current!.scrollTop;
    }
    return true;
  }
  return (
    <div
      class={selection.any.value ? 'grid grid-choosing' : 'grid'}
      ref={box}
      tabIndex={0}
      role="listbox"
      aria-multiselectable="true"
      aria-label={WORDS.list.label}
      aria-activedescendant={activeId(gallery)}
      onKeyDown={onKeyDown}
      onClick={onClick}
      data-gallery-grid
    >
      <div class="grid-spacer" role="presentation" style={{ height: `${scrollHeight.value}px` }}>
        <GridCells gallery={gallery} />
      </div>
    </div>
  );
}

/** Only a cell that exists can be named. */
function activeId({ grid, selection }: Gallery): string | undefined {
  const place = selection.active.value;
  const { first, last } = grid.range.value;
  return place >= first && place < last ? cellId(place) : undefined;
}

function GridCells({ gallery }: { gallery: Gallery }) {
  const { grid, selection } = gallery;
  const metrics = grid.metrics.value;
  const range = grid.range.value;
  const { columns } = metrics;
  const setSize = grid.count.value;
  const active = selection.active.value;
  const rendered = [];
  for (let first = range.first; first < range.last; first += columns) {
    const row = first / columns;
    const last = Math.min(range.last, first + columns);
    rendered.push(
      <Row
        // Never another row's nodes: where Preact moves a row (`moveBefore`) whose `style` has changed, Chromium keeps its cells' old looks.
        key={row}
        gallery={gallery}
        first={first}
        last={last}
        setSize={setSize}
        active={active >= first && active < last ? active : -1}
        y={rowTop(metrics, range.layerRow, row)}
        cellWidth={metrics.cellWidth}
        pitch={metrics.cellWidth + metrics.gap}
      />,
    );
  }
  return (
    <div class="grid-layer" role="presentation" style={{ transform: `translateY(${range.layerTop}px)` }}>
      {rendered}
    </div>
  );
}
