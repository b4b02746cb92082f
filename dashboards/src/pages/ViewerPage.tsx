import { useEffect, useMemo } from 'preact/hooks';
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
  return (
    <>
      <PageHeader path="" />
      <main class="page">
        {viewer.error.value && (
          <p class="notice notice-bad" role="alert">
            {viewer.error.value}
          </p>
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
  if (!result || result.outlines.length === 0) return null;
  return (
    <div class="table-frame outline-list">
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
