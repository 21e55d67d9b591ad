/** Addresses that are not on the public internet: what a worker can reach there, who names a URL may not. */
import { lookup as resolve, type LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** Two lists: one alone takes an IPv4 address for its mapped form, and would refuse them all. */
const PRIVATE = { 4: new BlockList(), 6: new BlockList() } as const;
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  PRIVATE[4].addSubnet(network, bits, 'ipv4');
// With those that carry an IPv4 address inside, which would have to be looked into: nobody needs them for a receiver.
for (const [network, bits] of [
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 32],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
] as const)
  PRIVATE[6].addSubnet(network, bits, 'ipv6');

export class PrivateAddressError extends Error {
  override readonly name = 'PrivateAddressError';
  constructor(host: string) {
    super(`${host} is a loopback, private or reserved address; AUTOFLOW_WEBHOOKS_PRIVATE=allow permits it`);
  }
}

export function isPrivate(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return PRIVATE[4].check(address, 'ipv4');
  return family === 6 && PRIVATE[6].check(address, 'ipv6');
}

/** A host that is an address is never looked up: it is refused here. */
export function refusePrivate({ hostname }: URL): void {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  if (isPrivate(host)) throw new PrivateAddressError(host);
}

/** Of the connection itself, so that a name cannot be one address when it is checked and another one when it is called. */
export const publicLookup: LookupFunction = (hostname, options, callback) => {
  resolve(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    if (error !== null) return callback(error, '', 4);
    if (addresses.some(({ address }) => isPrivate(address))) return callback(new PrivateAddressError(hostname), '', 4);
    if (options.all === true) return callback(null, addresses);
    callback(null, addresses[0]!.address, addresses[0]!.family);
  });
};
