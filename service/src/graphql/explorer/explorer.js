/** The page at /graphql: sends what is typed to this server, and lists what there is to ask for. */
const at = (id) => document.getElementById(id);
const [key, query, variables, status, answer, schema] = ['key', 'query', 'variables', 'status', 'answer', 'schema'].map(
  at,
);
query.value = `query Projects($limit: Int! = 5) {
  projects(pagination: { limit: $limit }) {
    total
    items { id name owner { name } stats { totalImages segmentedImages } }
  }
}`;
/** Also where a proxy gave the service a folder of its site. */
const endpoint = new URL('../graphql', import.meta.url);
let socket = null;

function show(value) {
  answer.textContent = JSON.stringify(value, null, 2);
}
async function post(body) {
  const headers = { 'content-type': 'application/json' };
  if (key.value !== '') headers.authorization = `Bearer ${key.value}`;
  const began = performance.now();
  const reply = await fetch(endpoint, { method: 'POST', headers, body: JSON.stringify(body) });
  status.textContent = `${reply.status} · ${Math.round(performance.now() - began)} ms`;
  return reply.json();
}

function stop(why) {
  socket?.close();
  socket = null;
  at('stop').disabled = true;
  if (why) status.textContent = why;
}
/** By the protocol graphql-transport-ws. */
function follow(payload) {
  stop();
  const address = new URL(endpoint);
  address.protocol = address.protocol.replace('http', 'ws');
  const own = (socket = new WebSocket(address, 'graphql-transport-ws'));
  const received = [];
  at('stop').disabled = false;
  status.textContent = 'connecting';
  own.onopen = () => own.send(JSON.stringify({ type: 'connection_init' }));
  own.onclose = ({ code, reason }) => own === socket && stop(`closed with ${code} ${reason}`);
  own.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    if (message.type === 'connection_ack') own.send(JSON.stringify({ id: '1', type: 'subscribe', payload }));
    if (message.type === 'ping') own.send(JSON.stringify({ type: 'pong' }));
    if (message.type === 'next' || message.type === 'error') {
      received.unshift(message.payload);
      received.length = Math.min(received.length, 100);
      status.textContent = `${received.length} shown, the latest first`;
      show(received);
    }
    if (message.type === 'complete' || message.type === 'error') stop();
  };
}

async function run() {
  let given;
  try {
    given = JSON.parse(variables.value || '{}');
  } catch (error) {
    status.textContent = `variables are not JSON: ${error.message}`;
    return;
  }
  const payload = { query: query.value, variables: given };
  if (/^\s*subscription\b/m.test(query.value)) return follow(payload);
  try {
    show(await post(payload));
  } catch (error) {
    status.textContent = String(error);
  }
}

const INTROSPECTION = `{ __schema { types { kind name description
  fields { name description args { name type { ...T } } type { ...T } }
  inputFields { name type { ...T } } enumValues { name } } } }
  fragment T on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`;
const typeText = ({ kind, name, ofType }) =>
  kind === 'NON_NULL' ? `${typeText(ofType)}!` : kind === 'LIST' ? `[${typeText(ofType)}]` : name;
function add(parent, tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  parent.append(element);
  return element;
}
async function load() {
  const { data, errors } = await post({ query: INTROSPECTION });
  if (!data) return show({ errors });
  schema.replaceChildren();
  for (const type of data.__schema.types.filter(({ name }) => !name.startsWith('__'))) {
    const members = type.fields ?? type.inputFields ?? type.enumValues ?? [];
    if (members.length === 0) continue;
    const details = add(schema, 'details', '');
    add(details, 'summary', `${type.name}${type.description ? `: ${type.description}` : ''}`);
    for (const { name, args = [], type: own, description } of members) {
      const given = args.map((arg) => `${arg.name}: ${typeText(arg.type)}`).join(', ');
      const line = add(details, 'div', '');
      add(line, 'code', `${name}${given && `(${given})`}${own ? `: ${typeText(own)}` : ''}`);
      if (description) add(line, 'small', ` ${description}`);
    }
  }
}

at('run').onclick = run;
at('stop').onclick = () => stop('stopped');
at('load').onclick = load;
query.onkeydown = variables.onkeydown = (event) => {
  if (event.ctrlKey && event.key === 'Enter') void run();
};
