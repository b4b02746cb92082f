import { useSignal } from '@preact/signals';
import { formatCount } from '../../models/format.ts';
import type { Operator } from '../../models/operator/Operator.ts';
import { here } from '../../models/root.ts';
import { WORDS as COMMON } from '../../words/common.ts';
import { WORDS } from '../../words/operator.ts';

const W = WORDS.projects;

export function ProjectList({ operator }: { operator: Operator }) {
  const name = useSignal('');
  const { value, error } = operator.projects.state.value;
  const submit = (event: Event): void => {
    event.preventDefault();
    const wanted = name.value.trim();
    if (!wanted) return;
    name.value = '';
    void operator.createProject(wanted);
  };
  return (
    <section class="panel panel-now">
      <h2>{W.title}</h2>
      <form class="inline-form" onSubmit={submit}>
        <input
          aria-label={W.name}
          placeholder={W.hint}
          maxLength={200}
          value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
        <button type="submit" disabled={name.value.trim() === ''}>
          {W.create}
        </button>
      </form>
      {operator.createError.value && (
        <p class="notice notice-bad" role="alert">
          {operator.createError.value}
        </p>
      )}
      {!value && <p class="faint">{error ?? COMMON.loading}</p>}
      {value?.items.length === 0 && <p class="faint">{W.none}</p>}
      <ul class="project-list">
        {value?.items.map((project) => (
          <li key={project.id}>
            <a href={here(`/projects/${project.id}`)}>{project.name}</a>
            <span class="faint">{W.images(project.imageCount)}</span>
          </li>
        ))}
      </ul>
      {value && value.total > value.items.length && (
        <p class="faint">{W.more(formatCount(value.items.length), formatCount(value.total))}</p>
      )}
    </section>
  );
}
