import { createHash, createHmac } from 'node:crypto';

export interface AwsCredentials {
  keyId: string;
  secret: string;
}
const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
/** RFC 3986: `encodeURIComponent` leaves five more characters as they are. */
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * Headers of a signed request (AWS General Reference, "Create a signed AWS API request", Signature Version 4).
 * @param headers lower-case names; all of them are signed.
 */
export function signV4(
  request: { method: string; url: string; headers: Record<string, string>; body: string },
  scope: { region: string; service: string; credentials: AwsCredentials; at: Date },
): Record<string, string> {
  const { pathname, searchParams, host } = new URL(request.url);
  const stamp = scope.at.toISOString().replace(/[:-]|\.\d{3}/g, '');
  const day = stamp.slice(0, 8);
  const headers: Record<string, string> = { ...request.headers, host, 'x-amz-date': stamp };
  const names = Object.keys(headers).toSorted();
  const query = [...searchParams]
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .toSorted()
    .join('&');
  const canonical = [
    request.method,
    pathname,
    query,
    ...names.map((name) => `${name}:${headers[name]!.trim()}`),
    '',
    names.join(';'),
    sha256(request.body),
  ].join('\n');
  const credential = `${day}/${scope.region}/${scope.service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', stamp, credential, sha256(canonical)].join('\n');
  const key = [day, scope.region, scope.service, 'aws4_request'].reduce<string | Buffer>(
    hmac,
    `AWS4${scope.credentials.secret}`,
  );
  const signature = hmac(key, text).toString('hex');
  const { host: _, ...sent } = headers;
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 Credential=${scope.credentials.keyId}/${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}
