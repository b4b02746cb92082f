import { useSignal } from '@preact/signals';
import { formatCount, formatDay, formatMoment } from '../../models/format.ts';
import { keyState, OVERLAPS, type KeyRow, type Keys, type Overlap } from '../../models/keys/Keys.ts';
import { WORDS } from '../../words/keys.ts';
import { Confirm } from '../Confirm.tsx';

const { list: L, revoke: R, rotate: T } = WORDS;
const COLUMNS = [L.name, L.scopes, L.created, L.used, L.ends, L.state, L.action];

export function KeyTable({ keys }: { keys: Keys }) {
  const { items, total } = keys.keys.value!;
  return (
    <section class="panel">
      <h2 id="all-keys">{L.title}</h2>
      <div class="table-frame" tabIndex={0} role="region" aria-labelledby="all-keys">
        <table>
          <thead>
            <tr>
              {COLUMNS.map((name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {items.map((key) => (
              <Row key={key.id} row={key} keys={keys} />
            ))}
          </tbody>
        </table>
      </div>
      {total > items.length && <p class="faint">{L.more(formatCount(items.length), formatCount(total))}</p>}
    </section>
  );
}

function Row({ row, keys }: { row: KeyRow; keys: Keys }) {
  const state = keyState(row, Date.now());
  const own = row.id === keys.who.value?.keyId;
  return (
    <tr data-key={row.id} data-state={state}>
      <td class="key-name">
        {row.name} {own && <span class="faint">{L.own}</span>}
      </td>
      <td>{row.scopes.join(', ')}</td>
      <td>{formatMoment(row.createdAt)}</td>
      <td>{row.lastUsedAt ? formatMoment(row.lastUsedAt) : L.never}</td>
      <td>{row.expiresAt ? formatMoment(row.expiresAt) : L.never}</td>
      <td>{state === 'revoked' ? L.revoked(formatDay(row.revokedAt!)) : L[state]}</td>
      <td class="key-actions">
        {state === 'active' && <Rotate row={row} own={own} keys={keys} />}
        {state !== 'revoked' && (
          <Confirm
            label={R.label}
            about={row.name}
            ask={own ? R.askOwn : R.ask}
            yes={R.yes}
            no={R.no}
            disabled={keys.busy.value}
            action="revoke"
            onYes={() => void keys.revoke(row)}
          />
        )}
      </td>
    </tr>
  );
}

/** Another secret under the same name and scopes; the one before may hold on while programs are given the new one. */
function Rotate({ row, own, keys }: { row: KeyRow; own: boolean; keys: Keys }) {
  const overlap = useSignal<Overlap>('none');
  return (
    <Confirm
      label={T.label}
      about={row.name}
      ask={own ? T.askOwn : T.ask}
      yes={T.yes}
      no={T.no}
      disabled={keys.busy.value}
      action="rotate"
      onYes={() => void keys.rotate(row, overlap.peek())}
    >
      <label>
        {T.before}{' '}
        <select
          name="overlap"
          value={overlap.value}
          onChange={({ currentTarget }) => (overlap.value = currentTarget.value as Overlap)}
        >
          {(Object.keys(OVERLAPS) as Overlap[]).map((each) => (
            <option key={each} value={each}>
              {T.overlaps[each]}
            </option>
          ))}
        </select>
      </label>
    </Confirm>
  );
}
