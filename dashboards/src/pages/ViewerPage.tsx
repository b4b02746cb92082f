import { useEffect, useMemo } from 'preact/hooks';
import { ExportMenu } from '../components/viewer/ExportMenu.tsx';
import { Failed } from '../components/Failed.tsx';
import { Icon } from '../components/Icon.tsx';
import { PageHeader } from '../components/PageHeader.tsx';
import { ViewerSide } from '../components/viewer/ViewerSide.tsx';
import { ViewerStage } from '../components/viewer/ViewerStage.tsx';
import type { Api } from '../models/api.ts';
import { browserClock } from '../models/clock.ts';
import { formatCount } from '../models/format.ts';
import { here } from '../models/root.ts';
import { createPainter, loadPart, loadPicture } from '../models/viewer/viewer-deps.ts';
import { createViewing, type Viewing } from '../models/viewer/Viewing.ts';
import { WORDS as COMMON } from '../words/common.ts';
import { WORDS } from '../words/viewer.ts';
import '../styles/viewer.css';

/** Keys in these are theirs. */
const TYPING = 'input, select, textarea, [contenteditable]';

export function ViewerPage({ api, imageId }: { api: Api; imageId: string }) {
  const { viewing, painter } = useMemo(() => {
    const made = createPainter((message) => view.viewer.peek().tell(new Error(message)));
    const view: Viewing = createViewing({
      api,
      imageId,
      clock: browserClock,
      storage: sessionStorage,
      ratio: () => Math.min(2, devicePixelRatio),
      painter: made,
      loadPicture: (id, width, abort) => loadPicture(api, id, width, abort),
      loadPart: (id, part, abort) => loadPart(api, id, part, abort),
      onGo: (id) => history.replaceState(null, '', here(`/images/${id}`)),
    });
    return { viewing: view, painter: made };
  }, [api, imageId]);
  useEffect(() => {
    void viewing.start();
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
      if (event.target instanceof Element && event.target.closest(TYPING)) return;
      const { previous, next } = viewing.around.peek();
      if (event.key === 'ArrowLeft') viewing.go(previous);
      else if (event.key === 'ArrowRight') viewing.go(next);
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => {
      removeEventListener('keydown', onKey);
      viewing.stop();
      painter.release();
    };
  }, [viewing]);

  const viewer = viewing.viewer.value;
  const image = viewer.image.value;
  const error = viewer.error.value;
  useEffect(() => {
    if (image) document.title = COMMON.tab(image.name);
  }, [image]);
  return (
    <div class="view-page">
      <PageHeader path="" />
      <main class="view-main">
        <p class="visually-hidden" role="status">
          {viewing.live.message}
        </p>
        {error && (
          <div class="view-error">
            <h1>{image ? WORDS.partly : WORDS.failed}</h1>
            <Failed why={error} again={() => viewing.again()} />
            {!image && <a href={here('/')}>{WORDS.projects}</a>}
          </div>
        )}
        {image && (
          <>
            <header class="view-bar">
              <a class="view-back" href={here(`/projects/${image.projectId}`)}>
                <Icon name="back" /> {WORDS.back}
              </a>
              <h1 title={image.relativePath ?? image.name}>{image.name}</h1>
              <Around viewing={viewing} />
              <ExportMenu key={image.id} api={api} viewer={viewer} image={image} />
            </header>
            <div class="view-body">
              <ViewerStage viewing={viewing} name={image.name} />
              <ViewerSide viewing={viewing} />
            </div>
          </>
        )}
      </main>
    </div>
  );
}

/** Links, so that they can be opened elsewhere; here they change the image in place. */
function Around({ viewing }: { viewing: Viewing }) {
  const { previous, next, place } = viewing.around.value;
  const step = (label: string, key: string, imageId: string | null) => (
    <a
      class="view-step"
      {...(imageId === null ? { role: 'link', 'aria-disabled': true } : { href: here(`/images/${imageId}`) })}
      aria-keyshortcuts={key}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        viewing.go(imageId);
      }}
    >
      {label}
    </a>
  );
  return (
    <nav class="view-around" aria-label={WORDS.others}>
      {step(WORDS.previous, 'ArrowLeft', previous)}
      {place && <span class="faint">{WORDS.place(formatCount(place.at), formatCount(place.of))}</span>}
      {step(WORDS.next, 'ArrowRight', next)}
    </nav>
  );
}
