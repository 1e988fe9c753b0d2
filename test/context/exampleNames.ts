import dns from 'node:dns';

import { afterAll } from '@jest/globals';

/**
 * Names that exist only in examples (RFC 2606, 6761) are answered at once, as a resolver finally answers. It can
 * take seconds for each, and Node.js looks up four at a time, so those of one test would delay all later ones.
 */

const EXAMPLE = /(^|\.)(example(\.(com|net|org))?|test|invalid)\.?$/i;

const { lookup } = dns;
const answerAtOnce = (hostname: string, ...more: unknown[]): unknown => {
	if (!EXAMPLE.test(hostname)) return Reflect.apply(lookup, dns, [hostname, ...more]);
	const callback = more.at(-1) as (error: NodeJS.ErrnoException) => void;
	const details = { code: 'ENOTFOUND', syscall: 'getaddrinfo', hostname };
	process.nextTick(
		callback,
		Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), details),
	);
	return {};
};
Object.assign(dns, { lookup: answerAtOnce });

afterAll(() => {
	Object.assign(dns, { lookup });
});
