import { describe, expect, it } from '@jest/globals';

import {
	fingerprint,
	generateSecret,
	open,
	sameFingerprint,
	seal,
	type Binding,
} from '../../nodes/shared/secretVault';

const SECRET = 'whsec_0123456789abcdef0123456789abcdef';
const KEY = 'msk_key of the credential';
const BINDING: Binding = { workflowId: 'wf1', nodeId: 'node1', endpointId: 'wh_1' };

const otherBindings: ReadonlyArray<[string, Binding]> = [
	['workflow', { ...BINDING, workflowId: 'wf2' }],
	['node', { ...BINDING, nodeId: 'node2' }],
	['endpoint', { ...BINDING, endpointId: 'wh_2' }],
	['split of the same ids', { workflowId: 'wf1node1', nodeId: '', endpointId: 'wh_1' }],
	['quoted split of the same ids', { workflowId: 'wf1","node1', nodeId: 'wh_1', endpointId: '' }],
];

/** The bytes behind the version of a seal: 16 of salt, 12 of IV, 16 of tag, then the content. */
function bytesOf(sealed: string): Buffer {
	return Buffer.from(sealed.slice('v1.'.length), 'base64url');
}

function sealOf(bytes: Buffer): string {
	return `v1.${bytes.toString('base64url')}`;
}

describe('a generated secret', () => {
	it('is 32 random bytes in hex behind whsec_', () => {
		const secrets = Array.from({ length: 200 }, generateSecret);
		for (const secret of secrets) expect(secret).toMatch(/^whsec_[0-9a-f]{64}$/);
		expect(new Set(secrets).size).toBe(secrets.length);
	});
});

describe('a sealed secret', () => {
	it.each([
		['of ASCII', SECRET],
		['of one character', 'x'],
		['not of ASCII', 'пароль 🐼 é'],
		['with line breaks and NUL', 'a\r\nb\0c'],
		['of 100,000 characters', 's'.repeat(100_000)],
	])('comes back as it was: %s', (_what, secret) => {
		expect(open(seal(secret, KEY, BINDING), [KEY], BINDING)).toBe(secret);
	});

	it('is text that JSON and static data keep as it is', () => {
		expect(seal(SECRET, KEY, BINDING)).toMatch(/^v1\.[A-Za-z0-9_-]+$/);
	});

	it('opens with any of several keys', () => {
		const sealed = seal(SECRET, KEY, BINDING);
		expect(open(sealed, ['other', KEY], BINDING)).toBe(SECRET);
		expect(open(sealed, [KEY, 'other'], BINDING)).toBe(SECRET);
		expect(open(sealed, ['', 'other', 'third', KEY], BINDING)).toBe(SECRET);
	});

	it.each([
		['no key', []],
		['an empty key', ['']],
		['another key', ['other']],
		['several other keys', ['other', `${KEY} `, KEY.toUpperCase(), KEY.slice(1)]],
	])('stays shut with %s', (_what, keys) => {
		expect(open(seal(SECRET, KEY, BINDING), keys, BINDING)).toBeUndefined();
	});

	it.each(otherBindings)('stays shut for another %s', (_what, binding) => {
		expect(open(seal(SECRET, KEY, BINDING), [KEY], binding)).toBeUndefined();
	});

	it('stays shut with any one bit of it changed', () => {
		const bytes = bytesOf(seal(SECRET, KEY, BINDING));
		expect(bytes).toHaveLength(16 + 12 + 16 + SECRET.length);
		for (let at = 0; at < bytes.length; at++) {
			const tampered = Buffer.from(bytes);
			tampered.writeUInt8(tampered.readUInt8(at) ^ 0x80, at);
			expect({ at, opened: open(sealOf(tampered), [KEY], BINDING) }).toEqual({ at });
		}
	});

	it('stays shut when it is cut or lengthened', () => {
		const bytes = bytesOf(seal(SECRET, KEY, BINDING));
		for (let length = 0; length < bytes.length; length++) {
			expect(open(sealOf(bytes.subarray(0, length)), [KEY], BINDING)).toBeUndefined();
		}
		expect(open(sealOf(Buffer.concat([bytes, Buffer.alloc(1)])), [KEY], BINDING)).toBeUndefined();
	});

	it('stays shut when its parts come from two seals of the same secret', () => {
		const [one, two] = [seal(SECRET, KEY, BINDING), seal(SECRET, KEY, BINDING)].map(bytesOf);
		for (const at of [16, 28, 44]) {
			const mixed = Buffer.concat([
				one?.subarray(0, at) ?? Buffer.alloc(0),
				two?.subarray(at) ?? Buffer.alloc(0),
			]);
			expect(open(sealOf(mixed), [KEY], BINDING)).toBeUndefined();
		}
	});

	it.each([
		'',
		'.',
		'v1',
		'v1.',
		'v1..',
		'v1.AAAA',
		`v1.${'A'.repeat(200)}`,
		'v1.not base64 at all ✓',
		SECRET,
		'null',
		'{"sealed":true}',
	])('is not what %j is', (text) => {
		expect(open(text, [KEY, ''], BINDING)).toBeUndefined();
	});

	it('stays shut under another version', () => {
		const rest = seal(SECRET, KEY, BINDING).slice('v1'.length);
		for (const version of ['v2', 'V1', '', ' v1']) {
			expect(open(`${version}${rest}`, [KEY], BINDING)).toBeUndefined();
		}
	});

	it('is nothing but the version and base64url, to the last character', () => {
		const sealed = seal(SECRET, KEY, BINDING);
		const body = sealed.slice('v1.'.length);
		const decorated = [
			`${sealed}=`,
			`${sealed}\n`,
			` ${sealed}`,
			`${sealed} `,
			`${sealed}.`,
			`${sealed}.${body}`,
			`v1.${body.slice(0, 20)}\n${body.slice(20)}`,
			`v1.${body.slice(0, 20)}!${body.slice(20)}`,
			`v1.${body.slice(0, 20)}+/${body.slice(20)}`,
			`"${sealed}"`,
		];
		for (const text of decorated) {
			expect({ text, opened: open(text, [KEY], BINDING) }).toEqual({ text });
		}
	});

	it('looks different every time', () => {
		const seals = Array.from({ length: 50 }, () => seal(SECRET, KEY, BINDING));
		expect(new Set(seals).size).toBe(seals.length);
		for (const [from, to] of [
			[0, 16],
			[16, 28],
			[44, 60],
		]) {
			const parts = seals.map((sealed) => bytesOf(sealed).subarray(from, to).toString('hex'));
			expect(new Set(parts).size).toBe(seals.length);
		}
	});

	it('shows neither the secret nor the key, in no encoding', () => {
		const sealed = seal(SECRET, KEY, BINDING);
		for (const hidden of [SECRET, SECRET.slice(6, 20), KEY]) {
			for (const encoding of ['utf8', 'hex', 'base64url'] as const) {
				expect(sealed).not.toContain(Buffer.from(hidden).toString(encoding));
			}
			expect(bytesOf(sealed).includes(hidden)).toBe(false);
		}
	});
});

describe('a fingerprint', () => {
	const print = fingerprint(SECRET, KEY, BINDING);

	it('is the same for the same secret, key and binding', () => {
		expect(fingerprint(SECRET, KEY, { ...BINDING })).toBe(print);
		expect(sameFingerprint(print, fingerprint(SECRET, KEY, BINDING))).toBe(true);
	});

	it.each([
		['secret', fingerprint(`${SECRET}x`, KEY, BINDING)],
		['secret, empty', fingerprint('', KEY, BINDING)],
		['key', fingerprint(SECRET, `${KEY}x`, BINDING)],
		...otherBindings.map(([what, binding]): [string, string] => [
			what,
			fingerprint(SECRET, KEY, binding),
		]),
	])('differs for another %s', (_what, other) => {
		expect(sameFingerprint(print, other)).toBe(false);
		expect(sameFingerprint(other, print)).toBe(false);
	});

	it('shows neither the secret nor the key', () => {
		expect(print).toMatch(/^[A-Za-z0-9_-]{43}$/);
		expect(Buffer.from(print, 'base64url').includes(SECRET.slice(0, 8))).toBe(false);
	});

	it('is compared with texts of any length', () => {
		for (const text of ['', print.slice(1), `${print}=`, 'é'.repeat(43), 'x'.repeat(43)]) {
			expect(sameFingerprint(print, text)).toBe(false);
		}
		expect(sameFingerprint('', '')).toBe(true);
	});
});
