/* Sends requests from /docs. Served as it stands: the page works without built dashboards, and asks nothing of any other server. */

const SHOWN_CHARACTERS = 200_000;
const keyField = document.querySelector('#key');
const filterField = document.querySelector('#filter');
/** Where the service begins: `/`, or a folder that a proxy gave it. */
const root = new URL('..', import.meta.url).pathname;
const openapi = fetch(`${root}openapi.json`).then((reply) => reply.json());

/** An element with attributes and children; text is always text. */
function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

const inputOf = (parameter) => {
  const { name, required, schema = {}, example, in: where } = parameter;
  const id = `p${(inputOf.count = (inputOf.count ?? 0) + 1)}`;
  const values = schema.enum;
  // What is optional stays empty, with its example for a hint: a filter that nobody chose would hide what is there.
  const given = required ? { value: String(example ?? '') } : { placeholder: String(example ?? '') };
  const input = values
    ? make(
        'select',
        { id },
        ...(required ? [] : [make('option', { value: '' }, '')]),
        ...values.map((value) => make('option', {}, value)),
      )
    : make('input', { id, autocomplete: 'off', spellcheck: 'false', ...given });
  input.dataset.name = name;
  input.dataset.where = where;
  const label = make('label', { for: id }, make('code', {}, name), ` ${where}${required ? ', needed' : ''}`);
  return make('p', {}, label, input, make('small', {}, parameter.description ?? ''));
};

function bodyOf(requestBody) {
  const types = Object.keys(requestBody?.content ?? {});
  if (types.includes('multipart/form-data'))
    return make('p', {}, make('label', {}, 'files', make('input', { type: 'file', multiple: '', 'data-files': '' })));
  if (types.length === 0) return '';
  const text = JSON.stringify(requestBody.content[types[0]].example ?? {}, null, 2);
  const area = make('textarea', {
    'data-body': '',
    rows: String(Math.min(14, text.split('\n').length + 1)),
    spellcheck: 'false',
  });
  area.value = text;
  return make('p', {}, make('label', {}, `body, ${types[0]}${requestBody.required ? '' : ', may be empty'}`, area));
}

function acceptOf(responses) {
  const types = Object.entries(responses).flatMap(([status, { content }]) =>
    status === '200' ? Object.keys(content ?? {}) : [],
  );
  if (types.length < 2) return '';
  return make(
    'p',
    {},
    make(
      'label',
      {},
      'accept',
      make('select', { 'data-accept': '' }, ...types.map((type) => make('option', {}, type))),
    ),
  );
}

/** The request that the form says: address and what `fetch` takes. */
function requestOf(form, method, path) {
  const query = new URLSearchParams();
  const headers = new Headers();
  let address = root + path.slice(1);
  for (const { value, dataset } of form.querySelectorAll('[data-where]')) {
    if (dataset.where === 'path') address = address.replace(`{${dataset.name}}`, encodeURIComponent(value));
    else if (value !== '' && dataset.where === 'query') query.set(dataset.name, value);
    else if (value !== '') headers.set(dataset.name, value);
  }
  const accept = form.querySelector('[data-accept]');
  if (accept) headers.set('accept', accept.value);
  if (keyField.value.trim() !== '') headers.set('authorization', `Bearer ${keyField.value.trim()}`);
  const text = form.querySelector('[data-body]')?.value.trim();
  const files = form.querySelector('[data-files]')?.files;
  let body;
  if (files) {
    body = new FormData();
    for (const file of files) body.append('files', file);
  } else if (text) {
    headers.set('content-type', 'application/json');
    body = text;
  }
  const search = query.toString();
  return {
    address: search === '' ? address : `${address}?${search}`,
    init: { method, headers, body, credentials: 'same-origin', cache: 'no-store' },
  };
}

async function shownBody(reply) {
  const type = reply.headers.get('content-type') ?? '';
  if (type.startsWith('image/'))
    return make('img', { src: URL.createObjectURL(await reply.blob()), alt: 'the picture of the answer' });
  if (/json|^text\//.test(type)) {
    const text = await reply.text();
    const pretty =
      type.startsWith('application/json') && text.length < SHOWN_CHARACTERS
        ? JSON.stringify(JSON.parse(text), null, 2)
        : text;
    const cut = pretty.length > SHOWN_CHARACTERS ? `\n… ${pretty.length - SHOWN_CHARACTERS} characters more` : '';
    return make('pre', { 'data-answer': '', tabindex: '0' }, pretty.slice(0, SHOWN_CHARACTERS) + cut);
  }
  const bytes = await reply.blob();
  return make(
    'p',
    {},
    bytes.size === 0
      ? 'no body'
      : make('a', { href: URL.createObjectURL(bytes), download: 'answer' }, `${bytes.size} bytes, to save`),
  );
}

async function send(form, output, method, path) {
  const { address, init } = requestOf(form, method, path);
  output.replaceChildren(make('p', {}, `${method} ${address} …`));
  const started = performance.now();
  try {
    const reply = await fetch(address, init);
    const body = await shownBody(reply);
    const head = [...reply.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
    output.replaceChildren(
      make(
        'p',
        { 'data-status': String(reply.status), class: reply.ok ? 'good' : 'bad' },
        `${reply.status} ${reply.statusText}, ${Math.round(performance.now() - started)} ms`,
      ),
      make('p', {}, make('code', {}, `${method} ${address}`)),
      make('details', {}, make('summary', {}, 'headers'), make('pre', { 'data-headers': '', tabindex: '0' }, head)),
      body,
    );
  } catch (error) {
    output.replaceChildren(make('p', { class: 'bad' }, `no answer: ${error.message}`));
  }
}

/** The form of an operation, made when it is opened first. */
async function fill(details) {
  const { method, path } = details.dataset;
  const operation = (await openapi).paths[path][method];
  if (operation['x-frames']) {
    details.append(make('p', {}, 'A WebSocket: this page sends plain requests only.'));
    return;
  }
  const parameters = (operation.parameters ?? []).filter(
    ({ in: where, name }) => where !== 'header' || name !== 'accept',
  );
  const output = make('output', { 'aria-live': 'polite' });
  const form = make(
    'form',
    {},
    ...parameters.map(inputOf),
    bodyOf(operation.requestBody),
    acceptOf(operation.responses),
    make('button', {}, 'Send'),
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send(form, output, method.toUpperCase(), path);
  });
  details.append(form, output);
}

for (const details of document.querySelectorAll('details[data-path]'))
  details.addEventListener('toggle', () => {
    if (!details.open || details.dataset.filled) return;
    details.dataset.filled = 'yes';
    void fill(details);
  });
filterField.addEventListener('input', () => {
  const wanted = filterField.value.toLowerCase();
  for (const details of document.querySelectorAll('details[data-path]'))
    details.hidden = !details.querySelector('summary').textContent.toLowerCase().includes(wanted);
  for (const section of document.querySelectorAll('section'))
    section.hidden = !section.querySelector('details:not([hidden])');
});
