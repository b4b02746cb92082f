import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import { Icon } from '../components/Icon.tsx';
import { PageHeader } from '../components/PageHeader.tsx';
import { STATUS_LABELS, StatusMark } from '../components/StatusMark.tsx';
import { ViewerCanvas } from '../components/ViewerCanvas.tsx';
import type { Api } from '../models/api.ts';
import { formatBytes, formatCount, formatPercent } from '../models/format.ts';
import { createViewer, type Viewer } from '../models/Viewer.ts';

export function ViewerPage({ api, imageId }: { api: Api; imageId: string }) {
  const viewer = useMemo(() => createViewer({ api, imageId, newPath: () => new Path2D() }), [api, imageId]);
  useEffect(() => void viewer.start(), [viewer]);
  const image = viewer.image.value;
  useEffect(() => {
    if (image) document.title = `${image.name} · segbench`;
  }, [image]);
  return (
    <>
      <PageHeader path="" />
      <main class="page">
        {viewer.error.value && (
          <>
            <h1>{image ? 'The result could not be read' : 'This image could not be opened'}</h1>
            <p class="notice notice-bad" role="alert">
              {viewer.error.value}
            </p>
            {!image && (
              <p>
                <a href="/">Back to the projects</a>
              </p>
            )}
          </>
        )}
        {image && (
          <>
            <p class="crumbs">
              <a href={`/projects/${image.projectId}`}>
                <Icon name="back" /> Gallery
              </a>
            </p>
            <h1>{image.name}</h1>
            <div class="viewer">
              <ViewerCanvas viewer={viewer} name={image.name} />
              <div class="viewer-side">
                <Facts viewer={viewer} />
                <OutlineList viewer={viewer} />
              </div>
            </div>
          </>
        )}
      </main>
    </>
  );
}

function Facts({ viewer }: { viewer: Viewer }) {
  const image = viewer.image.value!;
  const result = viewer.result.value;
  const rows: [string, string][] = [
    ['Size', `${image.width} × ${image.height} px, ${formatBytes(image.sizeBytes)}`],
    ['Cells', result ? formatCount(result.polygonCount) : 'no result'],
    ['Model', result?.model ?? '–'],
  ];
  if (image.error) rows.push(['Failure', `${image.error.code}: ${image.error.message}`]);
  return (
    <dl class="facts">
      <dt>Status</dt>
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

function OutlineList({ viewer }: { viewer: Viewer }) {
  const result = viewer.result.value;
  const selected = viewer.selected.value;
  const frame = useRef<HTMLDivElement>(null);
  // Selected in the picture, its row may be out of sight. Only the list scrolls, never the page.
  useLayoutEffect(() => {
    const row = frame.current?.querySelector<HTMLElement>('tr.selected');
    if (!row || !frame.current) return;
    const { offsetTop, offsetHeight } = row;
    const { scrollTop, clientHeight } = frame.current;
    if (offsetTop < scrollTop + offsetHeight || offsetTop + offsetHeight > scrollTop + clientHeight)
      frame.current.scrollTop = offsetTop - clientHeight / 2;
  }, [selected]);
  if (!result || result.outlines.length === 0) return null;
  return (
    <div class="table-frame outline-list" ref={frame}>
      <table>
        <thead>
          <tr>
            <th>Outline</th>
            <th class="numeric">Area, px²</th>
            <th class="numeric">Confidence</th>
          </tr>
        </thead>
        <tbody>
          {result.outlines.map(({ id, internal, area, confidence }) => (
            <tr key={id} class={viewer.selected.value === id ? 'selected' : undefined}>
              <td>
                <button
                  type="button"
                  class="quiet"
                  aria-pressed={viewer.selected.value === id}
                  onClick={() => (viewer.selected.value = viewer.selected.peek() === id ? null : id)}
                >
                  {internal ? 'hole' : 'cell'} {id}
                </button>
              </td>
              <td class="numeric">{formatCount(area)}</td>
              <td class="numeric">{formatPercent(confidence)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
