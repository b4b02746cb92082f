// Puts a summary under a pull or merge request as one comment. Its first line marks it: the next run replaces that one, and nobody else's.
//   node docs/ci/comment.mjs FILE     GitHub: GH_TOKEN, NUMBER; GitLab: BENCH_TOKEN; the rest is what every job there has
import { readFileSync } from 'node:fs';

const MARK = '<!-- segbench -->';
const PAGE = 100;
const { env } = process;

const github = () => {
  const issues = `${env.GITHUB_API_URL}/repos/${env.GITHUB_REPOSITORY}/issues`;
  return {
    headers: { authorization: `Bearer ${env.GH_TOKEN}` },
    comments: `${issues}/${env.NUMBER}/comments`,
    one: (id) => `${issues}/comments/${id}`,
    method: 'PATCH',
    // A job's token may not ask who it is.
    own: async () => (comment) => comment.user.login === 'github-actions[bot]',
  };
};
const gitlab = () => {
  const comments = `${env.CI_API_V4_URL}/projects/${env.CI_PROJECT_ID}/merge_requests/${env.CI_MERGE_REQUEST_IID}/notes`;
  return {
    headers: { 'private-token': env.BENCH_TOKEN },
    comments,
    one: (id) => `${comments}/${id}`,
    method: 'PUT',
    own: async () => {
      const { id } = await ask('GET', `${env.CI_API_V4_URL}/user`);
      return (comment) => comment.author.id === id;
    },
  };
};
const { headers, comments, one, method, own } = env.GITHUB_ACTIONS ? github() : gitlab();

async function ask(verb, url, body) {
  const sent = {
    method: verb,
    headers: { ...headers, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
  const reply = await fetch(url, sent);
  if (!reply.ok) throw new Error(`${verb} ${url}: ${reply.status} ${(await reply.text()).slice(0, 300)}`);
  return reply.json();
}

async function find() {
  const isOwn = await own();
  for (let page = 1; ; page++) {
    const listed = await ask('GET', `${comments}?per_page=${PAGE}&page=${page}`);
    const found = listed.find((comment) => comment.body.startsWith(MARK) && isOwn(comment));
    if (found || listed.length < PAGE) return found;
  }
}

const body = `${MARK}\n${readFileSync(process.argv[2], 'utf8')}`;
const found = await find();
await (found ? ask(method, one(found.id), { body }) : ask('POST', comments, { body }));
