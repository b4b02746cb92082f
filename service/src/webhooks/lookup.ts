import { lookup as systemLookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { BlockList, type LookupFunction } from 'node:net';

/** Where no name that is told something may lead: this machine, its neighbours on the link, groups, and services that give out credentials. */
const NEVER = new BlockList();
for (const [address, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['224.0.0.0', 3],
] as const)
  NEVER.addSubnet(address, bits, 'ipv4');
for (const [address, bits] of [
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
  ['fd00:ec2::', 32],
] as const)
  NEVER.addSubnet(address, bits, 'ipv6');

/** Also of an IPv4 address within an IPv6 one (RFC 4291, section 2.5.5.2). */
export const isNever = ({ address, family }: Pick<LookupAddress, 'address' | 'family'>): boolean =>
  NEVER.check(address, family === 6 ? 'ipv6' : 'ipv4');

export type Resolve = (
  name: string,
  options: LookupAllOptions,
  done: (error: NodeJS.ErrnoException | null, found: LookupAddress[]) => void,
) => void;

/**
 * A resolver for one connection. Who answers for a name may answer otherwise the next time: what is looked at here is what is connected
 * to. `localhost` and addresses in digits, which never come here, are the operator's own words.
 */
export function createLookup(resolve: Resolve = systemLookup): LookupFunction {
  return (name, options, done) => {
    resolve(name, { ...options, all: true }, (error, found) => {
      const never = /(^|\.)localhost$/.test(name) ? undefined : found?.find(isNever);
      const refusal = never ? new Error(`${name} leads to ${never.address}, where nothing is sent by name`) : error;
      if (refusal) return done(refusal, '', 0);
      if (options.all) return done(null, found);
      const [first] = found;
      return done(null, first!.address, first!.family);
    });
  };
}
