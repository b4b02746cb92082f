import { createHash } from 'node:crypto';
import type { Config } from '../config.ts';
import { signV4 } from './sigv4.ts';

/** What a CDN must forget of an image: everything, or the masks of a result that was replaced. */
export interface PurgeTarget {
  id: number;
  imageId: string;
  what: 'image' | 'overlay';
}
export interface PurgeRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string;
}
export type PurgeConfig = Pick<
  Config,
  | 'cdnBaseUrl'
  | 'cdnPurge'
  | 'cdnPurgeHosts'
  | 'cdnPurgeId'
  | 'cdnPurgeKeyId'
  | 'cdnPurgeToken'
  | 'cdnPurgeMethod'
  | 'cdnPurgeUrl'
>;
interface Provider {
  /** Targets that one request can name. */
  most: number;
  needs: readonly (keyof PurgeConfig)[];
  build: (config: PurgeConfig, targets: readonly PurgeTarget[], at: Date) => PurgeRequest;
}

/** All addresses of a target begin with this. */
const prefixOf = ({ imageId, what }: PurgeTarget) => `/api/images/${imageId}/${what === 'overlay' ? 'overlay' : ''}`;
const JSON_TYPE = { 'content-type': 'application/json' };
const NO_HEADERS: Record<string, string> = {};
const unique = (texts: readonly string[]) => [...new Set(texts)];

export const PROVIDERS: Record<Exclude<PurgeConfig['cdnPurge'], 'off'>, Provider> = {
  /**
   * Amazon CloudFront API Reference, CreateInvalidation. A path with `*` at its end covers every query string; 15 of those may be
   * under way at a time (CloudFront quotas). The same reference twice is one invalidation, so that a repeated try costs nothing.
   */
  cloudfront: {
    most: 15,
    needs: ['cdnPurgeId', 'cdnPurgeKeyId', 'cdnPurgeToken', 'cdnBaseUrl'],
    build({ cdnPurgeId, cdnPurgeKeyId, cdnPurgeToken, cdnBaseUrl }, targets, at) {
      const folder = new URL(cdnBaseUrl).pathname.replace(/\/$/, '');
      const paths = unique(targets.map((target) => `${folder}${prefixOf(target)}*`));
      const reference = createHash('sha256')
        .update(targets.map(({ id }) => id).join())
        .digest('hex')
        .slice(0, 32);
      const body = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">',
        `<CallerReference>segbench-${reference}</CallerReference>`,
        `<Paths><Items>${paths.map((path) => `<Path>${path}</Path>`).join('')}</Items><Quantity>${paths.length}</Quantity></Paths>`,
        '</InvalidationBatch>',
      ].join('');
      const request = {
        method: 'POST',
        url: `https://cloudfront.amazonaws.com/2020-05-31/distribution/${cdnPurgeId}/invalidation`,
        headers: { 'content-type': 'application/xml' },
        body,
      };
      const credentials = { keyId: cdnPurgeKeyId, secret: cdnPurgeToken };
      // CloudFront is global: its requests are signed for us-east-1.
      const scope = { region: 'us-east-1', service: 'cloudfront', credentials, at };
      return { ...request, headers: signV4(request, scope) };
    },
  },
  /** Cloudflare API, "Purge Cached Content" by prefix: host and path without scheme, 30 a request outside of Enterprise. */
  cloudflare: {
    most: 30,
    needs: ['cdnPurgeId', 'cdnPurgeToken', 'cdnBaseUrl'],
    build({ cdnPurgeId, cdnPurgeToken, cdnBaseUrl }, targets) {
      const base = cdnBaseUrl.replace(/^https?:\/\//, '');
      return {
        method: 'POST',
        url: `https://api.cloudflare.com/client/v4/zones/${cdnPurgeId}/purge_cache`,
        headers: { ...JSON_TYPE, authorization: `Bearer ${cdnPurgeToken}` },
        body: JSON.stringify({ prefixes: unique(targets.map((target) => `${base}${prefixOf(target)}`)) }),
      };
    },
  },
  /** Fastly API, "Purge multiple surrogate key tags": 256 keys a request; pictures carry theirs in `Surrogate-Key`. */
  fastly: {
    most: 256,
    needs: ['cdnPurgeId', 'cdnPurgeToken'],
    build: ({ cdnPurgeId, cdnPurgeToken }, targets) => ({
      method: 'POST',
      url: `https://api.fastly.com/service/${cdnPurgeId}/purge`,
      headers: { ...JSON_TYPE, accept: 'application/json', 'fastly-key': cdnPurgeToken },
      body: JSON.stringify({ surrogate_keys: unique(targets.map(({ imageId, what }) => `${what}-${imageId}`)) }),
    }),
  },
  /** Any cache with an address of its own for it. What is filled in is made of UUIDs and fixed words alone. */
  custom: {
    most: 1,
    needs: ['cdnPurgeUrl'],
    build({ cdnPurgeUrl, cdnPurgeMethod, cdnPurgeToken }, targets): PurgeRequest {
      const [target] = targets as [PurgeTarget];
      const values: Record<string, string> = {
        id: target.imageId,
        path: prefixOf(target),
        what: target.what,
      };
      return {
        method: cdnPurgeMethod,
        url: cdnPurgeUrl.replace(/\{(id|path|what)\}/g, (_, name: string) => values[name] ?? ''),
        headers: cdnPurgeToken === '' ? NO_HEADERS : { authorization: `Bearer ${cdnPurgeToken}` },
      };
    },
  },
};

const NAMES: Record<string, string> = {
  cdnBaseUrl: 'CDN_BASE_URL',
  cdnPurgeId: 'CDN_PURGE_ID',
  cdnPurgeKeyId: 'CDN_PURGE_KEY_ID',
  cdnPurgeToken: 'CDN_PURGE_TOKEN',
  cdnPurgeUrl: 'CDN_PURGE_URL',
};

/** What is wrong with settings that belong together, for the start of a process. */
export function purgeProblems(config: PurgeConfig): string[] {
  if (config.cdnPurge === 'off') return [];
  const { needs, build } = PROVIDERS[config.cdnPurge];
  const missing = needs.filter((field) => config[field] === '');
  if (missing.length > 0)
    return missing.map((field) => `${NAMES[field]} is not set: CDN_PURGE=${config.cdnPurge} needs it`);
  const sample = { id: 1, imageId: '00000000-0000-4000-8000-000000000000', what: 'image' } as const;
  const { url } = build(config, [sample], new Date(0));
  if (!URL.canParse(url)) return [`CDN_PURGE_URL is ${JSON.stringify(config.cdnPurgeUrl)}: expected an address`];
  const { host } = new URL(url);
  if (config.cdnPurgeHosts.includes(host)) return [];
  return [
    `CDN_PURGE_HOSTS is ${JSON.stringify(config.cdnPurgeHosts.join(','))}: CDN_PURGE=${config.cdnPurge} sends to ${host}, which must be in it`,
  ];
}
