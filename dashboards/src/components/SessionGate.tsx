import type { ComponentChildren } from 'preact';
import type { Session } from '../models/Session.ts';
import { SignIn } from './SignIn.tsx';

/** Nothing is asked for before it is clear who asks; a session that ends brings the form back. */
export function SessionGate({ session, children }: { session: Session; children: ComponentChildren }) {
  if (session.state.value === 'unknown') return null;
  return session.state.value === 'signed-out' ? <SignIn session={session} /> : <>{children}</>;
}
