import { CLOSE_POLICY } from '../contract/events.ts';
import type { KeyStore } from '../database/keys.ts';

const REASON = 'the key or session has ended';
/** Longest timer of Node. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What a socket was opened with: a bearer key, or the cookie of a session. */
export interface Credentials {
  token: string | undefined;
  session: string | undefined;
}
interface GuardedSocket {
  close(code: number, reason: string): void;
  on(event: 'close', listener: () => void): unknown;
}
type Keys = Pick<KeyStore, 'byToken' | 'bySession' | 'endOf'>;

/**
 * Ends sockets that outlived what they were opened with: at once when a key is revoked or a session is closed, to the moment when
 * it expires. Sockets that share a key cost one query together.
 */
export function createAccessGuard(keys: Keys, log: (error: unknown) => void) {
  const held = new Map<GuardedSocket, { credentials: Credentials; timer: NodeJS.Timeout | undefined }>();

  async function check(socket: GuardedSocket): Promise<void> {
    const entry = held.get(socket);
    if (!entry) return;
    const { token, session } = entry.credentials;
    try {
      const key = token === undefined ? session && (await keys.bySession(session)) : await keys.byToken(token);
      if (key) watchEnd(socket);
      else socket.close(CLOSE_POLICY, REASON);
    } catch (error) {
      // Without the database nobody can tell: the socket stays, and is asked about again when the database is back.
      log(error);
    }
  }
  function watchEnd(socket: GuardedSocket): void {
    const entry = held.get(socket);
    if (!entry) return;
    clearTimeout(entry.timer);
    const endsAt = keys.endOf(entry.credentials);
    if (endsAt === null) return;
    entry.timer = setTimeout(() => void check(socket), Math.min(Math.max(0, endsAt - Date.now()) + 1, MAX_TIMER_MS));
    entry.timer.unref();
  }

  return {
    /** Call when the socket is open; what was revoked in the meantime ends it. */
    hold(socket: GuardedSocket, credentials: Credentials): void {
      held.set(socket, { credentials, timer: undefined });
      socket.on('close', () => {
        clearTimeout(held.get(socket)?.timer);
        held.delete(socket);
      });
      void check(socket);
    },
    /** Keys changed, here or in another process. */
    recheck(): void {
      for (const socket of held.keys()) void check(socket);
    },
  };
}
export type AccessGuard = ReturnType<typeof createAccessGuard>;
