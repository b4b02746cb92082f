import { useSignal } from '@preact/signals';
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { Image } from '#contract/images.ts';
import { formatArea, formatBytes, formatCount, formatPercent, formatThreshold } from '../../models/format.ts';
import { orderOutlines, OUTLINE_ORDERS, type OutlineOrder, type Viewer } from '../../models/viewer/Viewer.ts';
import type { Viewing } from '../../models/viewer/Viewing.ts';
import { WORDS } from '../../words/viewer.ts';
import { STATUS_LABELS, StatusMark } from '../StatusMark.tsx';

const { facts: F, list: L, display: D } = WORDS;

/** Rows of the list at a time: thousands of outlines are no table. */
const ROWS = 50;

export function ViewerSide({ viewing }: { viewing: Viewing }) {
  const viewer = viewing.viewer.value;
  const image = viewer.image.value!;
  return (
    <div class="view-side">
      {viewer.facts.value?.unlike && <p class="notice notice-warn">{WORDS.unlike}</p>}
      <Facts viewer={viewer} image={image} />
      <Display viewing={viewing} />
      <OutlineList viewing={viewing} viewer={viewer} />
    </div>
  );
}

function Facts({ viewer, image }: { viewer: Viewer; image: Image }) {
  const facts = viewer.facts.value;
  const rows: [string, string][] = [
    [F.size, F.sizeOf(formatCount(image.width), formatCount(image.height), formatBytes(image.sizeBytes))],
    [F.cells, facts ? formatCount(facts.cells) : F.noResult],
  ];
  if (facts) rows.push([F.model, facts.model || F.unknown]);
  if (facts?.threshold) rows.push([F.threshold, formatThreshold(facts.threshold)]);
  if (image.relativePath) rows.push([F.path, image.relativePath]);
  if (image.error) rows.push([F.failure, `${image.error.code}: ${image.error.message}`]);
  return (
    <dl class="view-facts">
      <dt>{F.status}</dt>
      <dd>
        <StatusMark status={image.status} /> {STATUS_LABELS[image.status]}
      </dd>
      {rows.map(([term, words]) => (
        <>
          <dt>{term}</dt>
          <dd>{words}</dd>
        </>
      ))}
    </dl>
  );
}

function Display({ viewing }: { viewing: Viewing }) {
  const { opacity, filled } = viewing;
  if (!viewing.viewer.value.facts.value) return null;
  return (
    <div class="view-display" role="group" aria-label={D.label}>
      <label>
        {D.opacity}
        <input
          type="range"
          min="0"
          max="1"
          step="0.05"
          value={opacity.value}
          aria-valuetext={formatPercent(opacity.value)}
          onInput={(event) => (opacity.value = Number(event.currentTarget.value))}
        />
        <span aria-hidden="true">{formatPercent(opacity.value)}</span>
      </label>
      <label>
        <input
          type="checkbox"
          checked={filled.value}
          onChange={(event) => viewing.setFilled(event.currentTarget.checked)}
        />
        {D.filled}
      </label>
    </div>
  );
}

function OutlineList({ viewing, viewer }: { viewing: Viewing; viewer: Viewer }) {
  const order = useSignal<OutlineOrder>('id');
  const page = useSignal(0);
  const frame = useRef<HTMLDivElement>(null);
  const shapes = viewer.shapes.value;
  const selected = viewer.selected.value;
  const places = useMemo(() => (shapes ? orderOutlines(shapes, order.value) : null), [shapes, order.value]);
  // Chosen in the picture, its row may be on another page, or out of sight. Only the list scrolls, never the page.
  useLayoutEffect(() => {
    const at = places && selected >= 0 ? places.indexOf(selected) : -1;
    if (at < 0) return;
    page.value = Math.floor(at / ROWS);
    requestAnimationFrame(() => {
      const row = frame.current?.querySelector<HTMLElement>('tr.selected');
      if (!row || !frame.current) return;
      const { offsetTop, offsetHeight } = row;
      const { scrollTop, clientHeight } = frame.current;
      if (offsetTop < scrollTop + offsetHeight || offsetTop + offsetHeight > scrollTop + clientHeight)
        frame.current.scrollTop = offsetTop - clientHeight / 2;
    });
  }, [selected, places]);
  if (!shapes || !places || shapes.count === 0) return null;
  const pages = Math.ceil(places.length / ROWS);
  const shown = places.subarray(page.value * ROWS, (page.value + 1) * ROWS);
  return (
    <section class="view-outlines" aria-label={L.label}>
      <div class="view-outlines-head">
        <select
          aria-label={L.order}
          value={order.value}
          onChange={(event) => {
            order.value = event.currentTarget.value as OutlineOrder;
            page.value = 0;
          }}
        >
          {OUTLINE_ORDERS.map((each) => (
            <option key={each} value={each}>
              {L.orders[each]}
            </option>
          ))}
        </select>
        {pages > 1 && <Pager page={page.value} pages={pages} onPage={(next) => (page.value = next)} />}
      </div>
      <div class="view-table" ref={frame} tabIndex={0} role="region" aria-label={L.scroll}>
        <table>
          <thead>
            <tr>
              <th scope="col">{L.outline}</th>
              <th scope="col" class="numeric">
                {L.area}
              </th>
              <th scope="col" class="numeric">
                {L.sure}
              </th>
            </tr>
          </thead>
          <tbody>
            {Array.from(shown, (index) => (
              <Row key={index} viewing={viewing} viewer={viewer} index={index} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Row({ viewing, viewer, index }: { viewing: Viewing; viewer: Viewer; index: number }) {
  const { id, internal, area, confidence } = viewer.outline(index)!;
  const chosen = viewer.selected.value === index;
  return (
    <tr class={chosen ? 'selected' : undefined}>
      <td>
        <button
          type="button"
          class="quiet"
          aria-pressed={chosen}
          onClick={() => viewing.choose(index)}
          onFocus={() => (viewer.hovered.value = index)}
          onBlur={() => (viewer.hovered.value = -1)}
        >
          {WORDS.outline.name(internal, id)}
        </button>
      </td>
      <td class="numeric">{formatArea(area, viewer.pixelSizeUm.value)}</td>
      <td class="numeric">{formatPercent(confidence)}</td>
    </tr>
  );
}

function Pager({ page, pages, onPage }: { page: number; pages: number; onPage: (page: number) => void }) {
  return (
    <span class="view-pager">
      <button type="button" class="quiet" disabled={page === 0} aria-label={L.before} onClick={() => onPage(page - 1)}>
        {L.beforeSign}
      </button>
      {L.page(formatCount(page + 1), formatCount(pages))}
      <button
        type="button"
        class="quiet"
        disabled={page + 1 >= pages}
        aria-label={L.after}
        onClick={() => onPage(page + 1)}
      >
        {L.afterSign}
      </button>
    </span>
  );
}
