import crypto from 'node:crypto';

import { describe, expect, it, jest } from '@jest/globals';

import {
	fingerprint,
	generateSecret,
	matchesFingerprint,
	seal,
	unseal,
	type Binding,
	type KeyMaterial,
} from '../../nodes/shared/state/secretVault';

const SECRET = 'whsec_0123456789abcdef0123456789abcdef';
const KEY = random('msk_key of the credential');
const BINDING: Binding = { workflowId: 'wf1', nodeId: 'node1', endpointId: 'wh_1' };

function random(text: string): KeyMaterial {
	return { text, typed: false };
}

function open(sealed: string, materials: readonly KeyMaterial[], binding: Binding) {
	return unseal(sealed, materials, binding)?.secret;
}

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

	it('is text that JSON and static data store unchanged', () => {
		expect(seal(SECRET, KEY, BINDING)).toMatch(/^v1\.[A-Za-z0-9_-]+$/);
	});

	it('opens with any of several keys', () => {
		const sealed = seal(SECRET, KEY, BINDING);
		expect(open(sealed, [random('other'), KEY], BINDING)).toBe(SECRET);
		expect(open(sealed, [KEY, random('other')], BINDING)).toBe(SECRET);
		expect(open(sealed, ['', 'other', 'third'].map(random).concat(KEY), BINDING)).toBe(SECRET);
	});

	it.each([
		['no key', []],
		['an empty key', ['']],
		['another key', ['other']],
		['several other keys', ['other', `${KEY.text} `, KEY.text.toUpperCase(), KEY.text.slice(1)]],
	])('stays shut with %s', (_what, keys) => {
		expect(open(seal(SECRET, KEY, BINDING), keys.map(random), BINDING)).toBeUndefined();
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

	it('stays shut when it is shortened or lengthened', () => {
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
	])('is not opened from %j', (text) => {
		expect(open(text, [KEY, random('')], BINDING)).toBeUndefined();
	});

	it('stays shut under another version', () => {
		const rest = seal(SECRET, KEY, BINDING).slice('v1'.length);
		for (const version of ['v2', 'V1', '', ' v1']) {
			expect(open(`${version}${rest}`, [KEY], BINDING)).toBeUndefined();
		}
	});

	it('stays shut with any character added', () => {
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

	it('reveals neither the secret nor the key in any encoding', () => {
		const sealed = seal(SECRET, KEY, BINDING);
		for (const hidden of [SECRET, SECRET.slice(6, 20), KEY.text]) {
			for (const encoding of ['utf8', 'hex', 'base64url'] as const) {
				expect(sealed).not.toContain(Buffer.from(hidden).toString(encoding));
			}
			expect(bytesOf(sealed).includes(hidden)).toBe(false);
		}
	});
});

describe('a key that a person typed', () => {
	const PASSWORD: KeyMaterial = { text: 'panda2026', typed: true };

	it('seals with another version, which only this key opens', () => {
		const sealed = seal(SECRET, PASSWORD, BINDING);
		expect(sealed).toMatch(/^v2\.[A-Za-z0-9_-]+$/);
		expect(unseal(sealed, [PASSWORD], BINDING)).toEqual({ secret: SECRET, current: true });
		expect(unseal(sealed, [{ text: 'panda2027', typed: true }], BINDING)).toBeUndefined();
		expect(unseal(sealed, [random(PASSWORD.text)], BINDING)).toBeUndefined();
	});

	it('is stretched for seals and fingerprints, at a cost of 32 MB per guess', () => {
		const derived = jest.spyOn(crypto, 'scryptSync');
		const sealed = seal(SECRET, PASSWORD, BINDING);
		unseal(sealed, [{ text: 'a guess', typed: true }], BINDING);
		fingerprint(SECRET, { text: 'panda2029', typed: true }, BINDING);
		expect(derived).toHaveBeenCalledTimes(3);
		for (const [, , , options] of derived.mock.calls) {
			expect(128 * (options?.N ?? 0) * (options?.r ?? 0)).toBeGreaterThanOrEqual(32 * 1024 * 1024);
		}
		derived.mockRestore();
	});

	it('is stretched once for each seal and fingerprint, and so is each wrong key', () => {
		const password = { text: 'panda2028', typed: true };
		const wrong = { text: 'wrong', typed: true };
		const derived = jest.spyOn(crypto, 'scryptSync');
		const sealed = seal(SECRET, password, BINDING);
		const print = fingerprint(SECRET, password, BINDING);
		for (let n = 0; n < 50; n++) {
			expect(open(sealed, [password], BINDING)).toBe(SECRET);
			expect(open(sealed, [wrong], BINDING)).toBeUndefined();
			expect(matchesFingerprint(print, SECRET, password, BINDING)).toBe(true);
		}
		expect(derived).toHaveBeenCalledTimes(3);
		derived.mockRestore();
	});

	it('still opens what version 0.1 sealed with it, and reports that it is outdated', () => {
		const sealed = seal(SECRET, random(PASSWORD.text), BINDING);
		expect(unseal(sealed, [PASSWORD], BINDING)).toEqual({ secret: SECRET, current: false });
	});
});

describe('an opened seal', () => {
	it('is current only when the first key opened it', () => {
		const sealed = seal(SECRET, KEY, BINDING);
		expect(unseal(sealed, [KEY, random('other')], BINDING)).toMatchObject({ current: true });
		expect(unseal(sealed, [random('other'), KEY], BINDING)).toMatchObject({ current: false });
	});
});

describe.each([
	['a random key', KEY, /^[A-Za-z0-9_-]{43}$/],
	['a typed key', { text: 'panda2026', typed: true }, /^v2\.[A-Za-z0-9_-]{43}$/],
] as const)('a fingerprint under %s', (_what, key, form) => {
	const print = fingerprint(SECRET, key, BINDING);

	it('matches the same secret, key and binding', () => {
		expect(fingerprint(SECRET, key, { ...BINDING })).toBe(print);
		expect(matchesFingerprint(print, SECRET, key, BINDING)).toBe(true);
	});

	it.each<[string, string, KeyMaterial, Binding]>([
		['secret', `${SECRET}x`, key, BINDING],
		['secret, empty', '', key, BINDING],
		['key', SECRET, { ...key, text: `${key.text}x` }, BINDING],
		...otherBindings.map(([what, binding]): [string, string, KeyMaterial, Binding] => [
			what,
			SECRET,
			key,
			binding,
		]),
	])('does not match another %s', (_other, secret, material, binding) => {
		expect(matchesFingerprint(print, secret, material, binding)).toBe(false);
	});

	it('shows neither the secret nor the key', () => {
		expect(print).toMatch(form);
		expect(Buffer.from(print, 'base64url').includes(SECRET.slice(0, 8))).toBe(false);
	});

	it('is compared with texts of any length', () => {
		for (const text of ['', print.slice(1), `${print}=`, 'é'.repeat(43), 'x'.repeat(43)]) {
			expect(matchesFingerprint(text, SECRET, key, BINDING)).toBe(false);
		}
	});
});

it('a fingerprint that version 0.1 made with a typed key still matches', () => {
	const typed = { text: 'panda2026', typed: true };
	const print = fingerprint(SECRET, random(typed.text), BINDING);
	expect(matchesFingerprint(print, SECRET, typed, BINDING)).toBe(true);
});
