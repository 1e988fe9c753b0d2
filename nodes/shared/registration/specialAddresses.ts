/**
 * Blocks of addresses that no provider can deliver to: the IANA IPv4 and IPv6 Special-Purpose Address Registries
 * (RFC 6890), and multicast (RFC 5771). An IPv6 address is public only in 2000::/3 (RFC 4291, 2.4), so loopback, unique
 * local, link and site local addresses and those that hold an IPv4 address need no block of their own, except for 6to4.
 * test/unit/specialAddresses.test.ts compares the blocks with another list.
 */
const IPV4 = [
	'0.0.0.0/8',
	'10.0.0.0/8',
	'100.64.0.0/10',
	'127.0.0.0/8',
	'169.254.0.0/16',
	'172.16.0.0/12',
	'192.0.0.0/24',
	'192.0.2.0/24',
	'192.31.196.0/24',
	'192.52.193.0/24',
	'192.88.99.0/24',
	'192.168.0.0/16',
	'192.175.48.0/24',
	'198.18.0.0/15',
	'198.51.100.0/24',
	'203.0.113.0/24',
	'224.0.0.0/4',
	'240.0.0.0/4',
].map(prefixOf);
const IPV6_PUBLIC = prefixOf('2000::/3');
const IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '2620:4f:8000::/48', '3fff::/20'].map(
	prefixOf,
);

/**
 * Names of private networks: RFC 6761 (localhost), 6762 with its appendix G, 8375 (home.arpa), ICANN's reservation of
 * internal. One without a dot is a machine or a container.
 */
const PRIVATE_NAME =
	/^[^.]+$|\.(?:corp|home|home\.arpa|internal|intranet|lan|local|localdomain|localhost|private)$/;

/** Whether a host can only be reached from a machine or its network. @param hostname of a parsed URL */
export function isPrivateHost(hostname: string): boolean {
	const name = hostname.replace(/\.$/, '');
	if (name.startsWith('[')) {
		const bits = bitsOf(name.slice(1, -1));
		return !bits.startsWith(IPV6_PUBLIC) || IPV6.some((block) => bits.startsWith(block));
	}
	if (!/^\d+\.\d+\.\d+\.\d+$/.test(name)) return PRIVATE_NAME.test(name);
	const bits = bitsOf(name);
	return IPV4.some((block) => bits.startsWith(block));
}

/** The bits that all addresses of a block begin with. @param block e.g. "10.0.0.0/8" */
function prefixOf(block: string): string {
	const [address = '', length] = block.split('/');
	return bitsOf(address).slice(0, Number(length));
}

/** An address as zeros and ones. @param address as URLs write it: IPv4 with four numbers, IPv6 without dots */
function bitsOf(address: string): string {
	if (!address.includes(':')) {
		return address
			.split('.')
			.map((byte) => inBits(Number(byte), 8))
			.join('');
	}
	const [head = [], tail = []] = address
		.split('::')
		.map((part) => part.split(':').filter((group) => group !== ''));
	const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
	return [...head, ...zeros, ...tail]
		.map((group) => inBits(Number.parseInt(group, 16), 16))
		.join('');
}

function inBits(value: number, length: number): string {
	return value.toString(2).padStart(length, '0');
}
