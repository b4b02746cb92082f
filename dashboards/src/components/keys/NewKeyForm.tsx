import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { EXPIRIES, type Expiry, type Keys, type Scope } from '../../models/keys/Keys.ts';
import { WORDS } from '../../words/keys.ts';

const W = WORDS.make;
const SCOPES = Object.keys(W.scopesAbout) as Scope[];

/** A key that may look, until more is chosen. */
export function NewKeyForm({ keys }: { keys: Keys }) {
  const name = useSignal('');
  const scopes = useSignal<readonly Scope[]>(['read']);
  const expiry = useSignal<Expiry>('never');
  const first = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    if (keys.again.peek()) first.current?.focus();
  }, [keys]);
  const submit = (event: Event): void => {
    event.preventDefault();
    if (name.value.trim() !== '' && scopes.value.length > 0)
      void keys.create(name.value, [...scopes.value], expiry.value);
  };
  return (
    <form class="panel key-form" onSubmit={submit} aria-labelledby="new-key">
      <h2 id="new-key">{W.title}</h2>
      <label class="key-field">
        {W.name}
        <input
          ref={first}
          name="name"
          required
          maxLength={100}
          autocomplete="off"
          placeholder={W.nameHint}
          value={name.value}
          onInput={({ currentTarget }) => (name.value = currentTarget.value)}
        />
      </label>
      <fieldset class="key-scopes">
        <legend>{W.scopes}</legend>
        {SCOPES.map((scope) => (
          <label key={scope}>
            <input
              type="checkbox"
              name="scope"
              value={scope}
              checked={scopes.value.includes(scope)}
              onChange={({ currentTarget }) =>
                (scopes.value = SCOPES.filter((each) =>
                  each === scope ? currentTarget.checked : scopes.value.includes(each),
                ))
              }
            />
            <span>
              <b>{scope}</b> <span class="faint">{W.scopesAbout[scope]}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <label class="key-field">
        {W.expiry}
        <select
          name="expiry"
          value={expiry.value}
          onChange={({ currentTarget }) => (expiry.value = currentTarget.value as Expiry)}
        >
          {(Object.keys(EXPIRIES) as Expiry[]).map((each) => (
            <option key={each} value={each}>
              {W.expiries[each]}
            </option>
          ))}
        </select>
      </label>
      <span class="key-submit">
        <button type="submit" class="primary" disabled={keys.busy.value || scopes.value.length === 0}>
          {W.submit}
        </button>
        {scopes.value.length === 0 && <span class="faint">{W.needsScope}</span>}
      </span>
    </form>
  );
}
