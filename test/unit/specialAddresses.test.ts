import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';

import { isPrivateHost } from '../../nodes/shared/registration/specialAddresses';
import { isPrivateHost as isPrivateInSandbox } from '../../sandbox/webhookUrl';

/**
 * The nodes' list of addresses that no provider can deliver to, and the sandbox's, which is a library's: they say the
 * same of every block of the IANA registries, of its neighbours, and of any other address.
 */

const BLOCKS = [
	...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16'],
	...['172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24', '192.31.196.0/24', '192.52.193.0/24'],
	...['192.88.99.0/24', '192.168.0.0/16', '192.175.48.0/24', '198.18.0.0/15'],
	...['198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4'],
	...['::/128', '::1/128', '::/96', '::ffff:0:0/96', '64:ff9b::/96', '64:ff9b:1::/48'],
	...['100::/64', '100:0:0:1::/64', '2001::/23', '2001:db8::/32', '2002::/16'],
	...['2620:4f:8000::/48', '3fff::/20', '5f00::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10'],
	...['ff00::/8', '4000::/2'],
];

/** A host as URLs hold it. */
const hostOf = (bytes: number[]) => {
	const address = ipaddr.fromByteArray(bytes);
	const text = address.toString();
	return new URL(address.kind() === 'ipv6' ? `http://[${text}]` : `http://${text}`).hostname;
};

/** The first and the last address of a block, and what comes before and after it. */
function around(block: string) {
	const [address, length] = ipaddr.parseCIDR(block);
	const first = address.toByteArray();
	const bits = first.length * 8;
	const start = first.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
	const size = 1n << BigInt(bits - length);
	const at = (number: bigint) =>
		hostOf(first.map((_, index) => Number((number >> BigInt(bits - 8 * (index + 1))) & 255n)));
	const outside = [start - 1n, start + size].filter((one) => one >= 0n && one < 1n << BigInt(bits));
	return { inside: [start, start + size - 1n].map(at), outside: outside.map(at) };
}

describe.each(BLOCKS)('the block %s', (block) => {
	const { inside, outside } = around(block);

	it('is private from its first address to its last', () => {
		for (const host of inside) {
			expect([host, isPrivateHost(host), isPrivateInSandbox(host)]).toEqual([host, true, true]);
		}
	});

	it('has neighbours on which both lists agree', () => {
		for (const host of outside) {
			expect([host, isPrivateHost(host)]).toEqual([host, isPrivateInSandbox(host)]);
		}
	});
});

describe('any host', () => {
	const bytes = (length: number) =>
		fc.array(fc.integer({ min: 0, max: 255 }), { minLength: length, maxLength: length });
	const name = fc.constantFrom(
		...['n8n', 'n8n.local', 'a.b.internal', 'n8n.home.arpa', 'x.intranet', 'n8n.example.com'],
		...['arpa', 'x.arpa', 'home.arpa.example.com', 'nohome.arpa', 'mylan', 'my.lan', 'a.lane'],
		...['n8n.corp', 'n8n.home', 'n8n.private', 'n8n.localdomain', 'x.localhost', 'local.host'],
	);

	it.each([
		['an IPv4 address', bytes(4).map(hostOf)],
		['an IPv6 address', bytes(16).map(hostOf)],
		['a global IPv6 address', bytes(16).map(([, ...rest]) => hostOf([0x20, ...rest]))],
		['a name', name],
	])('is judged the same by both lists: %s', (_what, hosts) => {
		fc.assert(
			fc.property(hosts, (host) => {
				expect([host, isPrivateHost(host)]).toEqual([host, isPrivateInSandbox(host)]);
			}),
			{ numRuns: 2_000 },
		);
	});
});
