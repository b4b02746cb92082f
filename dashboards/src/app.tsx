import type { ComponentChildren } from 'preact';
import { SessionGate } from './components/SessionGate.tsx';
import { createApi, type Api } from './models/api.ts';
import { here } from './models/root.ts';
import { createSession, type Session } from './models/Session.ts';

/** Session and HTTP client of a page; `renderPage` is called once somebody is signed in. */
export function createApp(renderPage: (api: Api) => ComponentChildren) {
  const api: Api = createApi({
    fetch: (path, init) => fetch(here(path), init),
    onSignedOut: () => session.signedOut(),
  });
  const session: Session = createSession({ api: () => api, location, history });
  function App() {
    return (
      <SessionGate session={session}>
        <Page />
      </SessionGate>
    );
  }
  const Page = () => <>{renderPage(api)}</>;
  return { App, start: () => session.start() };
}

/** The last part of `/<prefix>/<id>` in an address, or null. */
export function idIn(pathname: string, prefix: string): string | null {
  const match = new RegExp(`^${prefix}/([0-9a-f-]{36})/?$`, 'i').exec(pathname);
  return match?.[1] ?? null;
}
