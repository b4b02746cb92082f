// What the image's HEALTHCHECK runs: code 0 when this container can do its work. An API says so at /readyz, which fails while it ends and
// while the database is away; relay and worker at /healthz of their metrics' port.
const { SEGBENCH_ROLE = 'api', PORT = '8080', METRICS_PORT = '9464' } = process.env;
const url = SEGBENCH_ROLE === 'api' ? `http://127.0.0.1:${PORT}/readyz` : `http://127.0.0.1:${METRICS_PORT}/healthz`;
const reply = await fetch(url, { signal: AbortSignal.timeout(4000) }).catch((error) => ({
  status: String(error.cause?.code ?? error.message),
}));
if (reply.status !== 200) console.error(`${url}: ${reply.status}`);
process.exitCode = reply.status === 200 ? 0 : 1;
