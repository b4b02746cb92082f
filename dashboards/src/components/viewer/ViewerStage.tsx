import { useSignalEffect } from '@preact/signals';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { formatArea, formatPercent } from '../../models/format.ts';
import { trackPointers } from '../../models/viewer/pointers.ts';
import type { Viewing } from '../../models/viewer/Viewing.ts';
import { createSurfaces } from '../../raster/surfaces.ts';
import { WORDS } from '../../words/viewer.ts';

const W = WORDS.stage;

/** Of the stage's side, for a press of an arrow. */
const PAN_STEP = 0.2;
const ZOOM_STEP = 1.4;

/** The picture with its outlines: dragged, pinched, turned by the wheel, or moved by keys; what is pointed at says what it is. */
export function ViewerStage({ viewing, name }: { viewing: Viewing; name: string }) {
  const { stage, viewer } = viewing;
  const frame = useRef<HTMLDivElement>(null);
  const layer = useRef<HTMLDivElement>(null);
  const picture = useRef<HTMLCanvasElement>(null);
  const overlay = useRef<HTMLCanvasElement>(null);
  const marks = useRef<HTMLCanvasElement>(null);

  useLayoutEffect(() => {
    const element = frame.current!;
    viewing.attach(
      createSurfaces({
        layer: layer.current!,
        picture: picture.current!,
        overlay: overlay.current!,
        marks: marks.current!,
      }),
    );
    const measure = (): void => stage.resize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => {
      observer.disconnect();
      viewing.attach(null);
    };
  }, [viewing]);
  useEffect(
    () =>
      trackPointers(frame.current!, {
        onPan: stage.panBy,
        onZoom: stage.zoomAt,
        onPoint: (at) => (viewer.peek().hovered.value = at ? viewer.peek().at(stage.imageAt(at)) : -1),
        onPress(at) {
          const of = viewer.peek();
          const hit = of.at(stage.imageAt(at));
          of.select(hit === of.selected.peek() ? -1 : hit);
        },
      }),
    [viewing],
  );
  useSignalEffect(() => {
    if (overlay.current) overlay.current.style.opacity = String(viewing.opacity.value);
  });

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { width, height } = stage.size.peek();
    const actions: Record<string, () => void> = {
      '+': () => stage.zoom(ZOOM_STEP),
      '=': () => stage.zoom(ZOOM_STEP),
      '-': () => stage.zoom(1 / ZOOM_STEP),
      '0': stage.fit,
      Escape: () => viewer.peek().select(-1),
      // Of a picture that is seen whole, arrows lead to the next one.
      ...(!stage.isFit() && {
        ArrowLeft: () => stage.panBy(width * PAN_STEP, 0),
        ArrowRight: () => stage.panBy(-width * PAN_STEP, 0),
        ArrowUp: () => stage.panBy(0, height * PAN_STEP),
        ArrowDown: () => stage.panBy(0, -height * PAN_STEP),
      }),
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  };
  return (
    <div
      class="view-stage"
      ref={frame}
      tabIndex={0}
      role="group"
      aria-roledescription={W.role}
      aria-label={W.label(name)}
      onKeyDown={onKeyDown}
      data-view-stage
      data-parts={viewing.sharpening.value ? 'coming' : 'here'}
    >
      <div class="view-layer" ref={layer}>
        <canvas ref={picture} />
        <canvas ref={overlay} />
        <canvas ref={marks} />
      </div>
      {viewing.sharpening.value && <p class="view-coming">{W.coming}</p>}
      <Tip viewing={viewing} />
      <ZoomButtons viewing={viewing} />
    </div>
  );
}

/** What is pointed at, in a corner: beside the pointer it would hide its neighbours. */
function Tip({ viewing }: { viewing: Viewing }) {
  const viewer = viewing.viewer.value;
  const outline = viewer.outline(viewer.hovered.value);
  if (!outline) return null;
  const { id, internal, area, confidence } = outline;
  return (
    <p class="view-tip" data-hovered={id}>
      <b>{WORDS.outline.name(internal, id)}</b>{' '}
      {WORDS.outline.about(formatArea(area, viewer.pixelSizeUm.value), formatPercent(confidence))}
    </p>
  );
}

function ZoomButtons({ viewing: { stage } }: { viewing: Viewing }) {
  const { scale, x, y } = stage.view.value;
  const zoom = formatPercent(scale);
  return (
    <div class="view-zoom" role="group" aria-label={W.zoom} data-view={`${scale} ${x} ${y}`}>
      <button type="button" aria-label={W.out} onClick={() => stage.zoom(1 / ZOOM_STEP)}>
        {W.minus}
      </button>
      <button type="button" aria-label={W.fit(zoom)} onClick={stage.fit}>
        {zoom}
      </button>
      <button type="button" aria-label={W.in} onClick={() => stage.zoom(ZOOM_STEP)}>
        {W.plus}
      </button>
    </div>
  );
}
