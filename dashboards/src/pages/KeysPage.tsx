import { useEffect, useMemo } from 'preact/hooks';
import { Failed } from '../components/Failed.tsx';
import { KeyTable } from '../components/keys/KeyTable.tsx';
import { MadeKey } from '../components/keys/MadeKey.tsx';
import { NewKeyForm } from '../components/keys/NewKeyForm.tsx';
import { PageHeader } from '../components/PageHeader.tsx';
import type { Api } from '../models/api.ts';
import { browserClock } from '../models/clock.ts';
import { createKeys, type Keys } from '../models/keys/Keys.ts';
import { createLiveRegion } from '../models/LiveRegion.ts';
import { WORDS as COMMON } from '../words/common.ts';
import { WORDS } from '../words/keys.ts';
import '../styles/keys.css';

/** Who is signed in; and, for who may, all keys: made, shown once, given another secret, revoked. */
export function KeysPage({ api }: { api: Api }) {
  const keys = useMemo(() => createKeys({ api, now: Date.now, live: createLiveRegion(browserClock) }), [api]);
  useEffect(() => {
    document.title = COMMON.tab(WORDS.title);
    void keys.load();
    return () => keys.live.stop();
  }, [keys]);
  const who = keys.who.value;
  return (
    <>
      <PageHeader path="/keys" />
      <main class="page keys-page">
        <h1>{WORDS.title}</h1>
        {keys.error.value &&
          (who ? (
            <p class="notice notice-bad" role="alert">
              {keys.error.value}
            </p>
          ) : (
            <Failed why={keys.error.value} again={() => keys.load()} />
          ))}
        <p class="visually-hidden" role="status">
          {keys.live.message}
        </p>
        {!who && !keys.error.value && <p class="faint">{WORDS.loading}</p>}
        {who && (
          <p class="keys-who">
            {WORDS.who(who.name, who.scopes.join(', '))}{' '}
            <button type="button" class="small" data-action="sign-out" onClick={() => void keys.signOut()}>
              {WORDS.signOut}
            </button>
          </p>
        )}
        {who && (keys.keys.value ? <Managed keys={keys} /> : <NeedsAdmin scopes={who.scopes} />)}
      </main>
    </>
  );
}

function NeedsAdmin({ scopes }: { scopes: readonly string[] }) {
  if (scopes.includes('admin')) return null;
  return (
    <div class="prose" data-needs-admin>
      <h2>{WORDS.needsAdmin.title}</h2>
      <p>{WORDS.needsAdmin.text(scopes.join(', '))}</p>
    </div>
  );
}

function Managed({ keys }: { keys: Keys }) {
  return (
    <>
      <p class="faint">{WORDS.what}</p>
      {keys.made.value ? (
        <MadeKey key={keys.made.value.key.token} made={keys.made.value} keys={keys} />
      ) : (
        <NewKeyForm keys={keys} />
      )}
      <KeyTable keys={keys} />
    </>
  );
}
