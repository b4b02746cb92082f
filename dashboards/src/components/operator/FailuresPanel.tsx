import { addressOf } from '#contract/client.ts';
import { terminalOf } from '../../models/Batches.ts';
import type { FailureGroup, FailureRow } from '../../models/operator/Failures.ts';
import { formatCount } from '../../models/format.ts';
import type { Operator } from '../../models/operator/Operator.ts';
import { here } from '../../models/root.ts';
import { WORDS } from '../../words/operator.ts';
import { Confirm } from '../Confirm.tsx';

const W = WORDS.failures;
const SAMPLES = 3;
const SAMPLE_PX = 64;

/** What failed, by code, with pictures of it; images that are worth it can be run again from here. */
export function FailuresPanel({ operator }: { operator: Operator }) {
  const groups = operator.failures.groups.value;
  return (
    <section class="panel panel-now">
      <h2 id="failures-title">
        {W.title} {groups.length > 0 && <span class="faint">{formatCount(operator.failures.total.value)}</span>}
      </h2>
      {groups.length === 0 ? (
        <p class="faint">{W.none}</p>
      ) : (
        <div class="scroll-y failure-list" tabIndex={0} role="region" aria-labelledby="failures-title">
          {groups.map((group) => (
            <Group key={group.code} group={group} operator={operator} />
          ))}
        </div>
      )}
    </section>
  );
}

function Group({ group, operator }: { group: FailureGroup; operator: Operator }) {
  return (
    <div class="failure-group" data-code={group.code}>
      <h3>
        {W.group(group.code)} <code>{group.code}</code> <span class="faint">{W.images(group.count)}</span>
      </h3>
      <ul>
        {group.rows.map((row) => (
          <Row key={row.key} row={row} operator={operator} />
        ))}
      </ul>
    </div>
  );
}

function Row({ row, operator }: { row: FailureRow; operator: Operator }) {
  const { batch, count, retryable, retry, retryId, sampleImageIds, sampleMessage, key } = row;
  const error = operator.failures.errors.value.get(key);
  const project = W.inProject(batch.projectName);
  return (
    <li class="failure">
      <span class="samples">
        {sampleImageIds.slice(0, SAMPLES).map((id, index) => (
          <a key={id} href={here(`/images/${id}`)} aria-label={`${W.sample(index + 1)}, ${project}`}>
            <img
              src={here(addressOf('GET /api/images/{id}/render', { path: { id }, query: { w: SAMPLE_PX, f: 'webp' } }))}
              alt=""
              width={28}
              height={28}
              loading="lazy"
            />
          </a>
        ))}
      </span>
      <span class="failure-words">
        <span>
          {W.images(count)} <a href={here(`/projects/${batch.projectId}`)}>{project}</a>
        </span>
        <span class="faint failure-message" title={sampleMessage}>
          {sampleMessage}
        </span>
      </span>
      {retry ? (
        <RetryProgress row={row} />
      ) : retryId ? (
        <span class="faint">{W.retried}</span>
      ) : retryable ? (
        <Confirm
          label={count === 1 ? W.retryOne : W.retry(formatCount(count))}
          about={`${row.code}, ${project}`}
          ask={W.ask(formatCount(count))}
          yes={W.yes}
          no={W.no}
          disabled={operator.failures.busy.value === key}
          action="retry"
          onYes={() => void operator.retry(row)}
        />
      ) : (
        <span class="faint not-retryable">{W.notRetryable}</span>
      )}
      {error && (
        <p class="notice notice-bad" role="alert">
          {error}
        </p>
      )}
    </li>
  );
}

/** The new batch, as it goes; what fails in it is a row of its own. */
function RetryProgress({ row: { retry, batch } }: { row: FailureRow }) {
  const { counts, total, id } = retry!;
  const done = terminalOf(counts);
  return (
    <span class="retry" data-retry={id}>
      <progress max={total} value={done} aria-label={W.progress(batch.projectName)} />
      <span>{W.state(formatCount(done), formatCount(total), counts.failed, formatCount(counts.failed))}</span>
    </span>
  );
}
