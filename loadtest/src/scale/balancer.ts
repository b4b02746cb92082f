/** One server of the balancer that has an address. */
export interface BalancerServer {
  name: string;
  address: string;
  /** UP, DOWN, MAINT, …: HAProxy's own words. */
  status: string;
  /** Open requests and sockets. */
  open: number;
}

/** Reads `/stats;csv` of HAProxy (management guide, section 9.1): the servers of the backend `api` that have an address. */
export function parseBalancer(csv: string): BalancerServer[] {
  const [head = '', ...lines] = csv.replace(/^# /, '').trim().split('\n');
  const names = head.split(',');
  const rows = lines.map((line) => {
    const cells = line.split(',');
    return (name: string) => cells[names.indexOf(name)] ?? '';
  });
  return rows
    .filter((row) => row('pxname') === 'api' && !['FRONTEND', 'BACKEND'].includes(row('svname')))
    .map((row) => ({ name: row('svname'), address: row('addr'), status: row('status'), open: Number(row('scur')) }))
    .filter(({ address, status }) => address !== '' && !address.startsWith(':') && !status.startsWith('MAINT'));
}

/** Of a balancer that does not answer: undefined. */
export async function readBalancer(port: number): Promise<BalancerServer[] | undefined> {
  const reply = await fetch(`http://127.0.0.1:${port}/stats;csv`, { signal: AbortSignal.timeout(3000) }).catch(
    () => null,
  );
  return reply?.ok ? parseBalancer(await reply.text()) : undefined;
}
