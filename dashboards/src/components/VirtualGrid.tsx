import { useComputed, useSignalEffect } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { cellOffset } from '../models/grid-geometry.ts';
import type { Gallery } from '../models/Gallery.ts';
import { Cell } from './Cell.tsx';

/** Sharper than this nobody sees on a cell of 160 px. */
const MAX_PIXEL_RATIO = 2;

/** Scroll box with as many cells as fit; the box is as high as all images, up to the browser's limit. */
export function VirtualGrid({ gallery }: { gallery: Gallery }) {
  const { grid } = gallery;
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

  // Back from an image, the list stands where it was left.
  const place = `scroll ${gallery.projectId}`;
  useSignalEffect(() => {
    const saved = scrollHeight.value > 0 && grid.size.value.height > 0 ? sessionStorage.getItem(place) : null;
    if (saved === null) return;
    sessionStorage.removeItem(place);
    // The box has its new height only after this render.
    requestAnimationFrame(() => (box.current!.scrollTop = Number(saved)));
  });
  const onClick = ({ target }: MouseEvent): void => {
    if (target instanceof Element && target.closest('.cell'))
      sessionStorage.setItem(place, String(grid.scrollTop.peek()));
  };

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const top = grid.scrollTopAfter(event.key);
    if (top === null) return;
    event.preventDefault();
    box.current!.scrollTop = top;
  };
  return (
    <div
      class="grid"
      ref={box}
      tabIndex={0}
      role="list"
      aria-label="Images"
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

function GridCells({ gallery }: { gallery: Gallery }) {
  const { grid, cells } = gallery;
  void gallery.view.value;
  const metrics = grid.metrics.value;
  const range = grid.range.value;
  const count = grid.count.value;
  const pixels = Math.round(metrics.cellWidth * Math.min(MAX_PIXEL_RATIO, devicePixelRatio));
  // One slot more than any range of this size needs, rounded to rows: a cell keeps its nodes while others come and go.
  const slots = Math.max(1, (Math.ceil(metrics.viewportHeight / metrics.rowHeight) + 6) * metrics.columns);
  const rendered = [];
  for (let position = range.first; position < range.last; position++) {
    const { x, y } = cellOffset(metrics, range.layerRow, position);
    rendered.push(
      <Cell
        key={position % slots}
        cells={cells}
        index={gallery.indexAt(position)}
        position={position}
        setSize={count}
        x={x}
        y={y}
        width={metrics.cellWidth}
        pixels={pixels}
      />,
    );
  }
  return (
    <div class="grid-layer" role="presentation" style={{ transform: `translateY(${range.layerTop}px)` }}>
      {rendered}
    </div>
  );
}
