import { signal } from '@preact/signals';
import { ApiError, type Api } from './api.ts';
import { WORDS } from '../words/common.ts';

export type SessionState = 'unknown' | 'signed-in' | 'signed-out';

/**
 * Who looks at the page. `#key=…` in the address is exchanged for a session cookie and taken out of the address at once,
 * so that it stays neither in the history nor in a screenshot.
 */
export function createSession(deps: { api: () => Api; location: Location; history: History }) {
  const state = signal<SessionState>('unknown');
  const error = signal<string | null>(null);

  async function signIn(key: string): Promise<void> {
    error.value = null;
    try {
      await deps.api().call('POST /api/session', { body: { key } });
      state.value = 'signed-in';
    } catch (cause) {
      state.value = 'signed-out';
      const refused = cause instanceof ApiError && (cause.statusCode === 401 || cause.statusCode === 400);
      error.value = refused ? WORDS.signIn.unknown : cause instanceof Error ? cause.message : String(cause);
    }
  }
  return {
    state,
    error,
    signIn,
    async start(): Promise<void> {
      const { pathname, search, hash } = deps.location;
      const key = new URLSearchParams(hash.slice(1)).get('key');
      if (!key) {
        // The first request of the page tells whether there is a session.
        state.value = 'signed-in';
        return;
      }
      deps.history.replaceState(null, '', pathname + search);
      await signIn(key);
    },
    signedOut(): void {
      state.value = 'signed-out';
    },
  };
}
export type Session = ReturnType<typeof createSession>;
