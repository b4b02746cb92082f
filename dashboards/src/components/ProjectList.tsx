import { useSignal } from '@preact/signals';
import { formatCount } from '../models/format.ts';
import type { Operator } from '../models/Operator.ts';

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
      <h2>Projects</h2>
      <form class="inline-form" onSubmit={submit}>
        <input
          aria-label="Name of the new project"
          placeholder="New project"
          maxLength={200}
          value={name.value}
          onInput={(event) => (name.value = event.currentTarget.value)}
        />
        <button type="submit" disabled={name.value.trim() === ''}>
          Create
        </button>
      </form>
      {operator.createError.value && (
        <p class="notice notice-bad" role="alert">
          {operator.createError.value}
        </p>
      )}
      {!value && <p class="faint">{error ?? 'Loading'}</p>}
      {value?.items.length === 0 && <p class="faint">No project yet. Create the first one above.</p>}
      <ul class="project-list">
        {value?.items.map((project) => (
          <li key={project.id}>
            <a href={`/projects/${project.id}`}>{project.name}</a>
            <span class="faint">
              {formatCount(project.imageCount)} {project.imageCount === 1 ? 'image' : 'images'}
            </span>
          </li>
        ))}
      </ul>
      {value && value.total > value.items.length && (
        <p class="faint">
          The newest {value.items.length} of {formatCount(value.total)}.
        </p>
      )}
    </section>
  );
}
