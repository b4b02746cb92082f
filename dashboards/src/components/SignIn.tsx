import { useSignal } from '@preact/signals';
import type { Session } from '../models/Session.ts';
import { WORDS } from '../words/common.ts';

const W = WORDS.signIn;

export function SignIn({ session }: { session: Session }) {
  const key = useSignal('');
  const busy = useSignal(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    busy.value = true;
    await session.signIn(key.value.trim());
    busy.value = false;
  };
  return (
    <main class="sign-in">
      <form onSubmit={(event) => void submit(event)}>
        <h1>{WORDS.name}</h1>
        <label>
          {W.key}
          <input
            type="password"
            name="key"
            autocomplete="current-password"
            autofocus
            required
            value={key.value}
            onInput={(event) => (key.value = event.currentTarget.value)}
          />
        </label>
        {session.error.value && (
          <p class="notice notice-bad" role="alert">
            {session.error.value}
          </p>
        )}
        <button type="submit" class="primary" disabled={busy.value}>
          {W.submit}
        </button>
        <p class="hint">{W.hint}</p>
      </form>
    </main>
  );
}
