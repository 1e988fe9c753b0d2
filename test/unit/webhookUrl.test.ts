import { describe, expect, it } from '@jest/globals';

import { webhookUrlObjection } from '../../nodes/shared/registration/webhookUrl';
import { isHttpUrl, sameUrl, urlBelow, addressForMessage } from '../../nodes/shared/url';

const PUBLIC_BASE = 'https://api.misar.io';

const publicUrls = [
	'https://n8n.example.com/webhook/1',
	'https://n8n.example.com:8443/webhook/1',
	'HTTPS://N8N.EXAMPLE.COM/webhook/1',
	'https://localhost.example.com/',
	'https://internal.example.com/',
	'https://my.local.example.org/',
	'https://8.8.8.8/',
	'https://9.255.255.255/',
	'https://11.0.0.1/',
	'https://100.63.255.255/',
	'https://100.128.0.1/',
	'https://126.255.255.255/',
	'https://128.0.0.1/',
	'https://169.253.0.1/',
	'https://172.15.255.255/',
	'https://172.32.0.1/',
	'https://192.167.255.255/',
	'https://192.169.0.1/',
	'https://[2606:4700:4700::1111]/',
	'https://[2606:4700:fd00::1]/',
	'https://[2a00:1450::ffff:7f00:1]/',
	'https://home.arpa.example.com/',
	'https://intranet.example.com/',
	'https://134744072/',
	// Names that look like the beginning of an address are not addresses.
	'https://10.example.com/',
	'https://127.0.0.1.example.com/',
	'https://192.168.1.example.com/',
	'https://0.example.com/',
	'https://n8n.example.com./',
];

const privateUrls = [
	'https://localhost/',
	'https://LOCALHOST:5678/webhook/1',
	'https://app.localhost/',
	'https://n8n/',
	'https://n8n:5678/webhook/1',
	'https://n8n.local/',
	'https://n8n.internal/',
	'https://metadata.google.internal/',
	'https://n8n.lan/',
	'https://0.0.0.0/',
	'https://127.0.0.1/',
	'https://127.255.255.254:5678/',
	'https://127.1/',
	'https://10.0.0.1/',
	'https://10.255.255.255/',
	'https://100.64.0.1/',
	'https://100.127.255.254/',
	'https://169.254.169.254/latest',
	'https://172.16.0.1/',
	'https://172.31.255.255/',
	'https://192.168.0.1/',
	'https://2130706433/',
	'https://0x7f000001/',
	'https://0x7f.0.0.1/',
	'https://0177.0.0.1/',
	'https://3232235777/',
	'https://127.0.0.1./',
	'https://localhost./',
	'https://n8n./',
	'https://n8n.local./',
	'https://n8n.internal.:5678/',
	'https://0/',
	'https://metadata/',
	'https://[::1]/',
	'https://[::]/',
	'https://[0:0:0:0:0:0:0:1]:5678/',
	'https://[fc00::1]/',
	'https://[fd12:3456:789a::1]/',
	'https://[fe80::1]/',
	'https://[febf::1]/',
	'https://[::ffff:127.0.0.1]/',
	'https://[::ffff:192.168.1.1]/',
	'https://192.0.0.8/',
	'https://198.18.0.1/',
	'https://224.0.0.1/',
	'https://255.255.255.255/',
	'https://[64:ff9b::a9fe:a9fe]/',
	'https://[64:ff9b:1::a00:1]/',
	'https://[fec0::1]/',
	'https://[ff02::1]/',
	'https://[::127.0.0.1]/',
	'https://[2002:7f00:1::]/',
	'https://[2001:db8::1]/',
	'https://n8n.home.arpa/',
	'https://n8n.home.arpa./',
	'https://x.intranet/',
	'https://n8n.corp/',
	'https://n8n.home/',
	'https://n8n.private/',
	'https://n8n.localdomain/',
];

describe('a webhook URL at a public provider', () => {
	it.each(publicUrls)('is accepted: %s', (url) => {
		expect(webhookUrlObjection(url, PUBLIC_BASE)).toBeUndefined();
	});

	it.each(privateUrls)('cannot be reached: %s', (url) => {
		expect(webhookUrlObjection(url, PUBLIC_BASE)).toMatch(
			/^https:\/\/.+ can only be reached from this machine or its network$/,
		);
	});

	it.each(privateUrls)('cannot be reached over HTTP either: %s', (url) => {
		expect(webhookUrlObjection(url.replace(/^https/i, 'http'), PUBLIC_BASE)).toMatch(
			/can only be reached from this machine/,
		);
	});

	it.each(publicUrls)('has to use HTTPS: %s', (url) => {
		expect(webhookUrlObjection(url.replace(/^https/i, 'http'), PUBLIC_BASE)).toMatch(
			/^http:\/\/.+ does not use HTTPS$/,
		);
	});

	it.each([
		...['ftp://n8n.example.com/', 'ws://n8n.example.com/', 'wss://n8n.example.com/'],
		...['javascript:alert(1)', 'file:///etc/hosts'],
		...['', ' ', 'n8n.example.com/webhook', '/webhook/1', 'https://', 'https://a b/'],
	])('has to be a web address: %j', (url) => {
		expect(webhookUrlObjection(url, PUBLIC_BASE)).toBe(`"${url}" is not a web address`);
	});

	it('may have a host name in any language, however often it is checked', () => {
		const url = 'https://bücher.example.com/webhook/1';
		// Enough for V8 to optimise what is called; URL.canParse then refuses this one in Node 20 and 22.
		for (let call = 0; call < 20_000; call += 1) {
			if (webhookUrlObjection(url, PUBLIC_BASE) !== undefined) throw new Error(`call ${call}`);
		}
		expect(webhookUrlObjection(url, PUBLIC_BASE)).toBeUndefined();
	});

	it('is named in the message by its origin only, without path and query', () => {
		const objection = webhookUrlObjection(
			'http://n8n.example.com:5678/webhook/7a3c?token=t',
			PUBLIC_BASE,
		);
		expect(objection).toBe('http://n8n.example.com:5678 does not use HTTPS');
	});
});

describe('a webhook URL at a provider that is local itself', () => {
	it.each([
		'http://localhost:4010',
		'http://127.0.0.1:4010/prefix',
		'https://mailpanda.internal',
		'http://sandbox:4010',
		'http://192.168.1.20',
		'http://[::1]:4010',
		'http://localhost.:4010',
		'http://sandbox.:4010',
	])('may be local and plain HTTP: %s', (baseUrl) => {
		for (const url of [...privateUrls, ...publicUrls]) {
			expect(webhookUrlObjection(url, baseUrl)).toBeUndefined();
			expect(webhookUrlObjection(url.replace(/^https/i, 'http'), baseUrl)).toBeUndefined();
		}
	});

	it.each(['nonsense', 'ftp://n8n.example.com/'])('has to be a web address: %j', (url) => {
		expect(webhookUrlObjection(url, 'http://localhost')).toBe(`"${url}" is not a web address`);
	});

	it.each([
		'',
		'localhost',
		'not a url',
		'https://mailpanda.example.com',
		'http://8.8.8.8',
		'http://10.example.com',
	])('does not count as local: %j', (baseUrl) => {
		expect(webhookUrlObjection('https://localhost/', baseUrl)).toMatch(/can only be reached/);
		expect(webhookUrlObjection('http://n8n.example.com/', baseUrl)).toMatch(/HTTPS$/);
		expect(webhookUrlObjection('https://n8n.example.com/', baseUrl)).toBeUndefined();
	});
});

describe('a webhook URL with a name or a password in it', () => {
	it.each([
		['https://user:pass@n8n.example.com/webhook/1', PUBLIC_BASE],
		['https://user@n8n.example.com/webhook/1', PUBLIC_BASE],
		['https://:pass@n8n.example.com/webhook/1', PUBLIC_BASE],
		['http://user:pass@n8n.example.com/webhook/1', PUBLIC_BASE],
		['http://user:pass@n8n.example.com/webhook/1', 'http://localhost:4010'],
	])('is never given to a provider: %s, %s', (url, baseUrl) => {
		expect(webhookUrlObjection(url, baseUrl)).toBe(
			'it holds a name or a password for n8n.example.com, which all who may read the workflow would see',
		);
	});

	it.each(['ftp://user:pass@n8n.example.com/', 'https://user:pass@', 'user:pass@n8n.example.com'])(
		'is shown without them if it is not a web address: %s',
		(url) => {
			expect(webhookUrlObjection(url, PUBLIC_BASE)).toMatch(
				/^"(?!.*pass).*" is not a web address$/,
			);
		},
	);
});

describe('an address to send requests to', () => {
	it.each([
		['https://api.misar.io', true],
		['http://localhost:4010/prefix', true],
		['HTTP://[::1]', true],
		['ftp://api.misar.io', false],
		['file:///etc/hosts', false],
		['api.misar.io', false],
		['localhost:4010', false],
		['javascript:alert(1)', false],
		['https://', false],
		['', false],
	])('may be %j: %s', (text, expected) => {
		expect(isHttpUrl(text)).toBe(expected);
	});
});

describe('an address in a message', () => {
	it.each([
		['https://api.example.com', 'https://api.example.com'],
		['https://api.example.com/a@b?c=d@e', 'https://api.example.com/a@b?c=d@e'],
		['http://me:pw@host', 'http://host/'],
		['http://me@corp.com:pw@host/hooks', 'http://host/hooks'],
		['http://me:p@w@host:8080/a@b', 'http://host:8080/a@b'],
		['http:me:pw@host', 'http://host/'],
		['http://me:p/w@host', 'http://host'],
		['ftp://me@corp.com:p w/x@host', 'ftp://host'],
		['me@corp.com:pw@host', 'host'],
		['me:pw@host', 'host'],
		['api.example', 'api.example'],
	])('%s is shown as %s', (address, shown) => {
		expect(addressForMessage(address)).toBe(shown);
	});
});

describe('a very long address', () => {
	const slashes = '/'.repeat(1_000_000);

	it.each([
		['of slashes', `https://n8n.example.com${slashes}x`],
		['of what is encoded', `https://n8n.example.com/${'%2F'.repeat(300_000)}`],
		['that is no URL', `${slashes}x`],
	])('is processed in under a second: %s', (_what, text) => {
		const begun = performance.now();
		expect(sameUrl(text, 'https://n8n.example.com/webhook/1')).toBe(false);
		expect(sameUrl(`${text}/`, text)).toBe(false);
		urlBelow(text, '/webhooks');
		expect(addressForMessage(text).length).toBeLessThanOrEqual(201);
		expect(performance.now() - begun).toBeLessThan(1_000);
	});

	it('equals an identical one', () => {
		expect(sameUrl(`https://a.example/${slashes}`, `https://a.example/${slashes}`)).toBe(true);
	});

	it('is normalised up to 2,000 characters', () => {
		const path = (length: number) => `https://a.example/${'a'.repeat(length - 18)}`;
		expect(path(1_999)).toHaveLength(1_999);
		expect(sameUrl(path(1_999), `${path(1_999)}/`)).toBe(true);
		expect(sameUrl(path(2_000), `${path(2_000)}/`)).toBe(false);
	});
});

describe('the address of a path below a Base URL', () => {
	it.each([
		['https://api.example.com', '/v1', 'https://api.example.com/v1'],
		['https://api.example.com///', '///v1/', 'https://api.example.com/v1/'],
		['', 'v1', '/v1'],
		['///', 'v1', '/v1'],
	])('joins %j and %j', (baseUrl, path, expected) => {
		expect(urlBelow(baseUrl, path)).toBe(expected);
	});
});
