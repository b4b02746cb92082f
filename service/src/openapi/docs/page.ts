import type { Document, Operation, Reply } from '../document.ts';
import { TAGS } from '../words.ts';

const escaped = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
/** Backticks as code; nothing else of Markdown is used in descriptions. */
const prose = (text: string) => escaped(text).replace(/`([^`]+)`/g, '<code>$1</code>');

/** All operations as a page that can be read without its script; the script adds what sends them. `root`: the way to the service's root. */
export function docsPage({ paths, components }: Document, root = './'): string {
  const replyOf = (reply: Reply): Reply =>
    reply.$ref ? (components.responses[reply.$ref.split('/').at(-1) ?? ''] ?? reply) : reply;
  const answers = ({ responses }: Operation) =>
    Object.entries(responses)
      .map(([status, reply]) => `<dt>${status}</dt><dd>${prose(replyOf(reply).description ?? '')}</dd>`)
      .join('');
  const shown = (path: string, method: string, operation: Operation) =>
    `<details data-path="${escaped(path)}" data-method="${method}">` +
    `<summary><b>${method.toUpperCase()}</b> <code>${escaped(path)}</code> <span>${prose(operation.summary ?? '')}</span></summary>` +
    (operation.description ? `<p>${prose(operation.description)}</p>` : '') +
    `<details><summary>answers</summary><dl class="answers">${answers(operation)}</dl></details></details>`;
  const all = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation, tag: operation.tags?.[0] ?? '' })),
  );
  const known = TAGS.map(({ name }) => name);
  const tags = [...known, ...new Set(all.map(({ tag }) => tag).filter((tag) => !known.includes(tag)))];
  const sections = tags.flatMap((tag) => {
    const own = all.filter((each) => each.tag === tag).map((each) => shown(each.path, each.method, each.operation));
    const words = TAGS.find(({ name }) => name === tag)?.description ?? '';
    return own.length === 0
      ? []
      : [`<section><h2>${escaped(tag)}</h2><small>${prose(words)}</small>${own.join('\n')}</section>`];
  });
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>segbench API</title><link rel="stylesheet" href="${root}docs/page.css"><script type="module" src="${root}docs/page.js"></script>
<header><h1>segbench API</h1>
<label>key, or nothing with a session<input id="key" type="password" autocomplete="off"></label>
<label>show only<input id="filter" type="search" placeholder="part of a path or summary"></label></header>
<main><p><small>The whole document: <a href="${root}openapi.json">openapi.json</a> (OpenAPI 3.1). Requests go to this server and do what they say.</small></p>
${sections.join('\n')}</main></html>`;
}
