import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';

import { describe, expect, it, jest } from '@jest/globals';
import Stripe from 'stripe';

import type { HmacScheme, Provider, SharedSecretScheme } from '../../nodes/shared/provider';
import { verifySignature, type SignedRequest, type Verdict } from '../../nodes/shared/signature';
import { allProviders } from './allProviders';

// By file: the package exports itself to `import` only, which jest's resolver does not ask for.
const octokit = jest.requireActual<{ sign(secret: string, payload: string): Promise<string> }>(
	'../../node_modules/@octokit/webhooks-methods/dist-node/index.js',
);

const SECRET = 'whsec_test_secret';
/** Unix seconds of every delivery here, and of "now" unless a test moves it. */
const AT = 1767323045;
const BODY = Buffer.from('{"type":"email.delivered","data":{"id":"msg_1"}}');

type Headers = SignedRequest['headers'];
type Signer = (secret: string, content: Buffer) => string;

/** One way to write a signature: a scheme with one of its prefixes. */
interface Form {
	readonly title: string;
	readonly provider: Provider;
	readonly scheme: HmacScheme;
	readonly prefix: string;
}

const forms: readonly Form[] = allProviders.flatMap((provider) =>
	provider.schemes.flatMap((scheme) => {
		if (scheme.kind !== 'hmac') return [];
		const prefixes = scheme.layout.type === 'hex' ? scheme.layout.prefixes : [''];
		return prefixes.map((prefix) => {
			const written = prefix === '' ? '' : ` written ${prefix}<hex>`;
			return {
				title: `${provider.displayName} ${scheme.id}${written}`,
				provider,
				scheme,
				prefix,
			};
		});
	}),
);
const timestamped = forms.filter(({ scheme }) => scheme.signed === 'timestamp.body');
const untimed = forms.filter(({ scheme }) => scheme.signed === 'body');

const inProcess: Signer = (secret, content) =>
	createHmac('sha256', secret).update(content).digest('hex');

/** Signs with the `openssl` command: nothing of Node's or ours is involved. */
const openssl: Signer = (secret, content) => {
	const { stdout } = spawnSync('openssl', ['dgst', '-sha256', '-hmac', secret], {
		input: content,
		encoding: 'utf8',
	});
	return /[0-9a-f]{64}/.exec(stdout)?.[0] ?? `no digest in: ${stdout}`;
};

interface Signing {
	readonly body?: Buffer;
	readonly secret?: string;
	readonly timestamp?: string;
	readonly signer?: Signer;
}

function hexOf({ scheme }: Form, signing: Signing = {}): string {
	const { body = BODY, secret = SECRET, timestamp = `${AT}`, signer = inProcess } = signing;
	const content =
		scheme.signed === 'body' ? body : Buffer.concat([Buffer.from(`${timestamp}.`), body]);
	return signer(secret, content);
}

/** Headers that carry `hex` the way the form writes it. */
function headersWith(form: Form, hex: string, timestamp = `${AT}`): Record<string, string> {
	const { scheme, prefix } = form;
	const value =
		scheme.layout.type === 'elements'
			? `${scheme.layout.timestamp}=${timestamp},${scheme.layout.signature}=${hex}`
			: `${prefix}${hex}`;
	return {
		[scheme.header]: value,
		...(scheme.timestampHeader === undefined ? {} : { [scheme.timestampHeader]: timestamp }),
	};
}

function sign(form: Form, signing: Signing = {}): Record<string, string> {
	return headersWith(form, hexOf(form, signing), signing.timestamp);
}

interface Checking {
	readonly body?: Buffer;
	readonly secrets?: readonly string[];
	readonly toleranceSeconds?: number;
	/** Seconds after `AT`. */
	readonly late?: number;
}

/** Verifies with every scheme of the provider, as a pinned legacy scheme is verified too. */
function verify({ provider }: Pick<Form, 'provider'>, headers: Headers, checking: Checking = {}) {
	const { body = BODY, secrets = [SECRET], toleranceSeconds = 300, late = 0 } = checking;
	const now = (AT + late) * 1000;
	const options = { secrets, toleranceSeconds, now };
	const verdict = verifySignature({ headers, rawBody: body }, provider.schemes, options);
	// A refusal has no other fields.
	const told = verdict.valid ? [] : Object.keys(verdict);
	expect(['valid', 'reason', 'unmatched']).toEqual(expect.arrayContaining(told));
	return verdict;
}

function valid({ scheme }: Form): Verdict {
	return scheme.signed === 'body'
		? { valid: true, scheme: scheme.id }
		: { valid: true, scheme: scheme.id, signedAt: AT * 1000 };
}

function refused(reason: string | RegExp = /./): unknown {
	return expect.objectContaining({ valid: false, reason: expect.stringMatching(reason) });
}

function flipDigit(hex: string, at: number): string {
	return `${hex.slice(0, at)}${hex[at] === '0' ? '1' : '0'}${hex.slice(at + 1)}`;
}

function formOf(providerName: string, schemeId: string): Form {
	const form = forms.find(
		({ provider, scheme }) => provider.displayName === providerName && scheme.id === schemeId,
	);
	if (form === undefined) throw new Error(`no scheme ${schemeId} of ${providerName}`);
	return form;
}

const platform = formOf('Misar Mail', 'platform');
const metiganCurrent = formOf('Metigan', 'timestamped');

describe('published test vectors', () => {
	const mailBody =
		'{"id":"evt_test_1","type":"email.delivered","product":"mail","timestamp":"2026-01-02T03:04:05Z","api_version":"v1","data":{"id":"msg_1"}}';
	const mailHex = '073aac7ddf4705323fc54aabbf06c22946f2cdbcb7894180a5021cf0a5be815d';
	const metiganBody =
		'{"event":"email.delivered","messageId":"msg_1","data":{"recipient":"a@example.com","subject":"Hi","status":"delivered","timestamp":"2026-01-02T03:04:05.000Z","metadata":{}},"timestamp":1767323045000}';
	const metiganSecret = `whsec_${'a'.repeat(64)}`;
	const metiganHex = 'b02de751409a59328955d5f24d8e544d41b04494321c33595b330f4a9b0e53d1';

	it.each([
		{
			title: 'Misar platform page (MM-A)',
			form: platform,
			headers: { 'x-misar-signature': `sha256=${mailHex}` },
			body: mailBody,
			secret: SECRET,
		},
		{
			title: 'Misar Mail integration page (MM-B)',
			form: formOf('Misar Mail', 'mailHeader'),
			headers: { 'x-misarmail-signature': mailHex },
			body: mailBody,
			secret: SECRET,
		},
		{
			title: 'MisarMail SDK 5 (MM-C)',
			form: formOf('Misar Mail', 'timestamped'),
			headers: {
				'x-misar-signature': 'e7f9d203749d21633219db92a98737b5f4a98cd6f3ec6a8d0af7cf4e363b5188',
				'x-misar-timestamp': '1767323045',
			},
			body: mailBody,
			secret: SECRET,
		},
		{
			title: 'Metigan guide',
			form: metiganCurrent,
			headers: { 'x-webhook-signature': `t=1767323045,v1=${metiganHex}` },
			body: metiganBody,
			secret: metiganSecret,
		},
		{
			title: 'Metigan SDK, bare hex',
			form: formOf('Metigan', 'timestampHeader'),
			headers: { 'x-webhook-signature': metiganHex, 'x-webhook-timestamp': '1767323045' },
			body: metiganBody,
			secret: metiganSecret,
		},
		{
			title: 'MisarReach SDK',
			form: formOf('Misar Reach', 'reach'),
			headers: {
				'x-reach-signature': '36ff7c1dd9ad3fb5fcdc7300eaa4ba960dcfab5529e90b9010c22f4b18972104',
				'x-reach-timestamp': '1767323045',
			},
			body: '{"event":"deal.won","data":{"id":"d1"}}',
			secret: 'reach_secret',
		},
		{
			title: 'Mail Panda webhook page',
			form: formOf('Mail Panda', 'bare'),
			headers: {
				'x-webhook-signature': '3b789e1e869eca8c603038e8b5f67c77ec20bcefd67d1d0c58749d540ff1eb36',
			},
			body: '{"event":"email.open","data":{"id":1}}',
			secret: 'whsec_panda',
		},
	])('verify: $title', ({ form, headers, body, secret }) => {
		const checking = { body: Buffer.from(body), secrets: [secret] };
		expect(verify(form, headers, checking)).toEqual(valid(form));
		expect(verify(form, headers, { ...checking, secrets: [`${secret}x`] })).toEqual(refused());
	});
});

describe('signatures made by others', () => {
	it("verifies Metigan headers made by Stripe's library", () => {
		const payload = '{"event":"email.opened","data":{"recipient":"zoë@example.com"}}';
		const value = Stripe.webhooks.generateTestHeaderString({
			payload,
			secret: SECRET,
			timestamp: AT,
		});
		expect(
			verify(metiganCurrent, { 'x-webhook-signature': value }, { body: Buffer.from(payload) }),
		).toEqual(valid(metiganCurrent));
	});

	it("verifies Misar platform headers made by Octokit's library", async () => {
		const payload = '{"type":"email.opened","data":{"to":"zoë@example.com"}}';
		const value = await octokit.sign(SECRET, payload);
		expect(
			verify(platform, { 'x-misar-signature': value }, { body: Buffer.from(payload) }),
		).toEqual(valid(platform));
	});

	it.each(forms)('verifies what openssl signed: $title', (form) => {
		const secret = 'whsec_пароль ✓';
		const body = Buffer.from('{"name":"Zoë 🐼"}');
		expect(
			verify(form, sign(form, { body, secret, signer: openssl }), { body, secrets: [secret] }),
		).toEqual(valid(form));
	});
});

describe.each(forms)('$title', (form) => {
	const { scheme } = form;

	it('is picked by its headers among all schemes of the provider', () => {
		expect(verify(form, sign(form))).toEqual(valid(form));
	});

	it.each([
		['an empty body', Buffer.alloc(0)],
		['text that is not ASCII', Buffer.from('{"name":"Zoë 🐼 Ωmega"}')],
		['bytes that are no UTF-8', Buffer.from([0x7b, 0xff, 0xfe, 0x00, 0x0d, 0x0a, 0x7d])],
		['a megabyte', Buffer.alloc(1_000_000, '{"a":"éß"}')],
	])('verifies the bytes as received: %s', (_what, body) => {
		expect(verify(form, sign(form, { body }), { body })).toEqual(valid(form));
		const longer = Buffer.concat([body, Buffer.from('\n')]);
		expect(verify(form, sign(form, { body }), { body: longer })).toEqual(refused());
	});

	it.each([
		['current', ['other', SECRET, '']],
		['previous', [SECRET, 'other']],
	])('accepts a second live secret, the right one being the %s', (_which, secrets) => {
		expect(verify(form, sign(form), { secrets })).toEqual(valid(form));
	});

	it('accepts nothing without a secret, not even what an empty secret signed', () => {
		for (const secrets of [[], [''], ['', '']]) {
			expect(verify(form, sign(form, { secret: '' }), { secrets })).toEqual(
				refused(/^no signing secret is configured$/),
			);
		}
		expect(verify(form, sign(form, { secret: '' }), { secrets: ['', SECRET] })).toEqual(refused());
	});

	it('accepts nothing that white space signed', () => {
		for (const secret of [' ', '\t\n', '\u00a0']) {
			expect(verify(form, sign(form, { secret }), { secrets: [secret] })).toEqual(
				refused(/^no signing secret is configured$/),
			);
			expect(verify(form, sign(form, { secret }), { secrets: [secret, SECRET] })).toEqual(
				refused(),
			);
		}
	});

	it('uses the secret verbatim, whsec_ included', () => {
		const stripped = sign(form, { secret: SECRET.replace('whsec_', '') });
		expect(verify(form, stripped)).toEqual(refused());
		const decoded = sign(form, { secret: Buffer.from('dGVzdA==', 'base64').toString() });
		expect(verify(form, decoded, { secrets: ['whsec_dGVzdA=='] })).toEqual(refused());
		expect(verify(form, sign(form, { secret: ` ${SECRET} ` }))).toEqual(refused());
	});

	it('refuses another secret, and reveals neither of them', () => {
		const verdict = verify(form, sign(form, { secret: 'forger' }));
		expect(verdict).toEqual(refused(/^signature does not match$/));
		expect(JSON.stringify(verdict)).not.toMatch(new RegExp(`${SECRET}|forger`));
	});

	it('reports whether another secret might match', () => {
		expect(verify(form, sign(form, { secret: 'forger' }))).toHaveProperty('unmatched', true);
		expect(verify(form, sign(form), { secrets: [] })).toHaveProperty('unmatched', true);
		for (const headers of [{}, headersWith(form, 'no signature')]) {
			const expected = form.scheme.kind === 'hmac' || Object.keys(headers).length === 0;
			expect(verify(form, headers)).toEqual(refused());
			expect('unmatched' in verify(form, headers)).toBe(!expected);
		}
	});

	it('refuses a body with any one byte flipped', () => {
		for (const at of [0, 1, BODY.length - 1]) {
			const body = Buffer.from(BODY);
			body.writeUInt8(body.readUInt8(at) ^ 1, at);
			expect(verify(form, sign(form), { body })).toEqual(refused());
		}
	});

	it('refuses a signature with any one digit flipped', () => {
		const hex = hexOf(form);
		for (let at = 0; at < hex.length; at++) {
			expect(verify(form, headersWith(form, flipDigit(hex, at)))).toEqual(refused());
		}
	});

	it('refuses a signature that is upper case, too short, too long or not hex', () => {
		const hex = hexOf(form);
		const odd = [
			hex.toUpperCase(),
			hex.slice(0, -1),
			hex.slice(0, -2),
			`${hex}0`,
			`${hex}00`,
			`g${hex.slice(1)}`,
			`0x${hex}`,
			`"${hex}"`,
			Buffer.from(hex, 'hex').toString('base64'),
			'',
		];
		for (const value of odd) expect(verify(form, headersWith(form, value))).toEqual(refused());
	});

	it('refuses white space inside a signature and accepts it around the header', () => {
		const hex = hexOf(form);
		for (const inner of [`${hex.slice(0, 32)} ${hex.slice(32)}`, `${hex.slice(0, 63)}\t`]) {
			expect(verify(form, headersWith(form, inner))).toEqual(refused());
		}
		// HTTP does not carry white space around a header's value, so it means nothing.
		const around = Object.entries(sign(form)).map(([name, value]) => [name, ` \t${value} `]);
		expect(verify(form, Object.fromEntries(around))).toEqual(valid(form));
	});

	it('refuses a missing, empty or repeated header', () => {
		const headers = sign(form);
		const { [scheme.header]: value = '', ...others } = headers;
		expect(verify(form, others)).toEqual(refused(/^signature header is missing \(expected .*\)$/));
		expect(verify(form, others)).toEqual(refused(scheme.header));
		expect(verify(form, { ...others, [scheme.header]: undefined })).toEqual(refused(/missing/));
		expect(verify(form, { ...others, [scheme.header]: '' })).toEqual(refused());
		expect(verify(form, { ...others, [scheme.header]: ' ' })).toEqual(refused());
		for (const repeated of [[], [value], [value, value]]) {
			expect(verify(form, { ...others, [scheme.header]: repeated })).toEqual(
				refused(/is repeated$/),
			);
		}
		// How Node joins a header that comes twice, and how proxies do.
		for (const other of [value, sign(form, { secret: 'another' })[scheme.header] ?? '']) {
			for (const joined of [
				[value, other],
				[other, value],
				[value, other, value],
			]) {
				for (const comma of [', ', ',']) {
					expect(verify(form, { ...others, [scheme.header]: joined.join(comma) })).toEqual(
						refused(`header ${scheme.header} is repeated`),
					);
				}
			}
		}
	});

	it('returns a verdict, never an error, for header values that are not text', () => {
		for (const json of ['5', 'null', 'true', '{}', '{"length":64}', '[[]]', '[null]', '[5]']) {
			for (const name of Object.keys(sign(form))) {
				const headers: Headers = { ...sign(form), [name]: JSON.parse(json) };
				expect(verify(form, headers)).toEqual(refused());
			}
		}
	});

	it('ignores other headers and does not read names in other cases', () => {
		const headers = { ...sign(form), 'x-other-signature': 'v1=0', 'content-type': 'text/plain' };
		expect(verify(form, headers)).toEqual(valid(form));
		const capitals = Object.entries(sign(form)).map(([name, value]) => [name.toUpperCase(), value]);
		expect(verify(form, Object.fromEntries(capitals))).toEqual(refused(/missing/));
	});
});

describe.each(timestamped)('$title, its timestamp', (form) => {
	it.each([
		[0, true],
		[300, true],
		[-300, true],
		[301, false],
		[-301, false],
		[86_400, false],
		[-86_400, false],
	])('of %d seconds ago is valid with a tolerance of 300: %s', (late, accepted) => {
		expect(verify(form, sign(form), { late })).toEqual(accepted ? valid(form) : refused());
	});

	it('may be of any age with a tolerance of 0', () => {
		for (const late of [-1e8, 301, 1e9]) {
			expect(verify(form, sign(form), { late, toleranceSeconds: 0 })).toEqual(valid(form));
		}
		const ancient = sign(form, { timestamp: '0' });
		expect(verify(form, ancient, { toleranceSeconds: 0 })).toMatchObject({
			valid: true,
			signedAt: 0,
		});
	});

	it('is covered by the signature', () => {
		const headers = headersWith(form, hexOf(form), `${AT + 1}`);
		expect(verify(form, headers)).toEqual(refused());
	});

	it('may be a decimal number where the provider documents that, and nowhere else', () => {
		const headers = sign(form, { timestamp: `${AT}.25` });
		const decimal = form.provider.displayName === 'Misar Mail';
		expect(verify(form, headers)).toEqual(
			decimal ? { ...valid(form), signedAt: AT * 1000 + 250 } : refused(/Unix/),
		);
	});

	it.each([
		['no number', 'now'],
		['empty', ''],
		['negative', `-${AT}`],
		['signed plus', `+${AT}`],
		['hexadecimal', `0x${AT.toString(16)}`],
		['led by a zero', `0${AT}`],
		['with an exponent', '1.767323045e9'],
		['infinite', 'Infinity'],
		['not a number', 'NaN'],
		['in milliseconds', `${AT}000`],
		['an open fraction', `${AT}.`],
		['a bare fraction', '.5'],
		['in other digits', '１７６７３２３０４５'],
		['ISO 8601', '2026-01-02T03:04:05Z'],
	])('is refused although correctly signed: %s', (_what, timestamp) => {
		for (const toleranceSeconds of [300, 0]) {
			expect(verify(form, sign(form, { timestamp }), { toleranceSeconds })).toEqual(refused());
		}
	});

	it('cannot be left out or repeated', () => {
		const { timestampHeader, header, layout } = form.scheme;
		const headers = sign(form);
		if (timestampHeader !== undefined) {
			for (const value of [undefined, [], [`${AT}`], [`${AT}`, `${AT}`]]) {
				expect(verify(form, { ...headers, [timestampHeader]: value })).toEqual(refused());
			}
			for (const repeated of [`${AT}, ${AT}`, `${AT},${AT + 1}`, [`${AT}`, `${AT}`]]) {
				expect(verify(form, { ...headers, [timestampHeader]: repeated })).toEqual(
					refused(`header ${timestampHeader} is repeated`),
				);
			}
		} else if (layout.type === 'elements') {
			const element = `${layout.signature}=${hexOf(form)}`;
			const time = `${layout.timestamp}=${AT}`;
			const values = [element, `${time},${element},${time}`, `${time},${time},${element}`];
			values.push(`${time},${layout.timestamp}=${AT - 1},${element}`);
			values.push(`${time},${layout.timestamp}=,${element}`);
			for (const value of values) expect(verify(form, { [header]: value })).toEqual(refused());
		} else {
			throw new Error(`${form.title} has no timestamp to leave out`);
		}
	});
});

describe('t=…,v1=… headers', () => {
	const hex = hexOf(metiganCurrent);
	const wrong = 'f'.repeat(64);
	const check = (value: string) => verify(metiganCurrent, { 'x-webhook-signature': value });

	it.each([
		['good first', `t=${AT},v1=${hex},v1=${wrong}`],
		['good last', `t=${AT},v1=${wrong},v1=${hex}`],
		['good between', `t=${AT},v1=${wrong},v1=${hex},v1=${wrong}`],
		['timestamp last', `v1=${wrong},v1=${hex},t=${AT}`],
		['one of them malformed', `t=${AT},v1=zz,v1=,v1,v1=${hex}`],
		['split by spaces', `t=${AT}, v1=${wrong}  v1=${hex}`],
		['other keys beside them', `v0=${wrong},t=${AT},x=1,=,,nonsense,v1=${hex},v2=${wrong}`],
	])('are accepted with several elements: %s', (_what, value) => {
		expect(check(value)).toEqual(valid(metiganCurrent));
	});

	it.each([
		['only wrong ones', `t=${AT},v1=${wrong},v1=${wrong}`],
		['the good one under another key', `t=${AT},v0=${hex}`],
		['the good one under a key in capitals', `t=${AT},V1=${hex}`],
		['the good one under a longer key', `t=${AT},xv1=${hex}`],
		['no signature', `t=${AT}`],
		['an extra equals sign', `t=${AT},v1==${hex}`],
		['white space after the key', `t=${AT},v1= ${hex}`],
		['another separator', `t=${AT};v1=${hex}`],
		['nothing but separators', ', ,=,'],
	])('are refused: %s', (_what, value) => {
		expect(check(value)).toEqual(refused());
	});

	it.each([
		['two signatures', `t=${AT},v1=${wrong},v1=${wrong}`],
		['two signatures and blanks', `t=${AT}, v1=${wrong}, v1=${wrong}`],
		['three and another version', `v1=${wrong},v1=${wrong},t=${AT},v1=${wrong},v0=${wrong}`],
	])('are not reported as repeated with %s', (_what, value) => {
		expect(check(value)).toEqual(refused(/^signature does not match$/));
	});

	it('are reported as repeated when they come twice, however many signatures each has', () => {
		const value = `t=${AT},v1=${wrong},v1=${hex}`;
		for (const joined of [`${value}, ${value}`, ` ${value},${value},${value} `]) {
			expect(check(joined)).toEqual(refused(/^header x-webhook-signature is repeated$/));
		}
	});

	it('are read at once, even if they are as long as a header can be', () => {
		const many = Array.from({ length: 230 }, () => `v1=${wrong}`).join(',');
		expect(check(`t=${AT},${many},v1=${hex}`)).toEqual(valid(metiganCurrent));
		expect(check(`t=${AT},${' ,'.repeat(8000)}`)).toEqual(refused());
	});
});

describe('replays across schemes', () => {
	const pairs = timestamped.flatMap((from) =>
		untimed
			.filter((to) => to.provider === from.provider)
			.map((to) => ({ title: `${from.title} as ${to.title}`, from, to })),
	);

	it('are tested for both providers', () => {
		expect(pairs.map(({ from }) => from.provider.id)).toEqual(
			expect.arrayContaining(['misar', 'metigan']),
		);
	});

	it.each(pairs)('are refused with the timestamp prepended to the body: $title', ({ from, to }) => {
		for (const timestamp of [`${AT}`, `${AT}.5`]) {
			const glued = Buffer.concat([Buffer.from(`${timestamp}.`), BODY]);
			const headers = headersWith(to, hexOf(from, { timestamp }));
			// The forged request is valid in the plain scheme: same bytes, same secret.
			expect(hexOf(to, { body: glued })).toBe(hexOf(from, { timestamp }));
			expect(verify(to, headers, { body: glued })).toEqual(refused());
		}
	});

	it.each(pairs)('are refused without the timestamp: $title', ({ from, to }) => {
		expect(verify(to, headersWith(to, hexOf(from)))).toEqual(refused());
	});

	it.each(pairs)('are refused the other way round: $title', ({ from, to }) => {
		expect(verify(from, headersWith(from, hexOf(to)))).toEqual(refused());
	});

	it('keep their age limit when Metigan elements are rewritten as a bare header', () => {
		const bare = formOf('Metigan', 'timestampHeader');
		const headers = headersWith(bare, hexOf(metiganCurrent));
		expect(verify(bare, headers)).toEqual(valid(bare));
		expect(verify(bare, headers, { late: 301 })).toEqual(refused());
	});
});

describe('a pinned scheme', () => {
	it.each(forms)('is the only one that verifies: $title', (form) => {
		const options = { secrets: [SECRET], toleranceSeconds: 300, now: AT * 1000 };
		const request = { headers: sign(form), rawBody: BODY };
		expect(verifySignature(request, [form.scheme], options)).toEqual(valid(form));
		const others = form.provider.schemes.filter((scheme) => scheme !== form.scheme);
		expect(verifySignature(request, others, options)).toEqual(refused());
		expect(verifySignature(request, [], options)).toEqual(refused());
	});
});

describe('two signature headers at once', () => {
	const mailHeader = formOf('Misar Mail', 'mailHeader');

	it('verify by the first scheme whose header is there', () => {
		const headers = { ...sign(platform), ...sign(mailHeader, { secret: 'forger' }) };
		expect(verify(platform, headers)).toEqual(valid(platform));
	});

	it('are refused if that one is wrong, so that a weaker one cannot replace it', () => {
		for (const wrong of [sign(platform, { secret: 'forger' }), { 'x-misar-signature': '' }]) {
			expect(verify(mailHeader, { ...wrong, ...sign(mailHeader) })).toEqual(refused());
		}
		const misplaced = { 'x-misar-signature': hexOf(mailHeader), 'x-misarmail-signature': 'x' };
		expect(verify(mailHeader, misplaced)).toEqual(refused());
		const stale = sign(formOf('Misar Mail', 'timestamped'), { timestamp: `${AT - 301}` });
		expect(verify(mailHeader, { ...stale, ...sign(mailHeader) })).toEqual(refused());
	});
});

/** As misar.blog sends it (docs.misar.io/blog/api-reference/webhooks): the secret, no signature. */
describe('a shared secret in a header', () => {
	const scheme: SharedSecretScheme = {
		id: 'shared',
		name: 'X-Webhook-Secret',
		description: 'The header carries the secret',
		kind: 'sharedSecret',
		header: 'x-webhook-secret',
		auto: true,
	};
	const check = (headers: Headers, secrets: readonly string[] = [SECRET]) =>
		verifySignature({ headers, rawBody: BODY }, [scheme], {
			secrets,
			toleranceSeconds: 300,
			now: 0,
		});

	it('verifies with any live secret', () => {
		const headers = { 'x-webhook-secret': SECRET };
		expect(check(headers)).toEqual({ valid: true, scheme: 'shared' });
		expect(check(headers, ['other', SECRET])).toEqual({ valid: true, scheme: 'shared' });
	});

	it.each<[string, Headers]>([
		['missing', {}],
		['empty', { 'x-webhook-secret': '' }],
		['wrong', { 'x-webhook-secret': 'whsec_test_secreT' }],
		['a prefix of it', { 'x-webhook-secret': SECRET.slice(0, -1) }],
		['longer', { 'x-webhook-secret': `${SECRET}x` }],
		['repeated', { 'x-webhook-secret': [SECRET] }],
	])('is refused when it is %s', (_what, headers) => {
		expect(check(headers)).toEqual(refused());
	});

	it('is refused as repeated when it comes twice', () => {
		for (const comma of [', ', ',']) {
			const value = [SECRET, SECRET].join(comma);
			expect(check({ 'x-webhook-secret': value })).toEqual({
				valid: false,
				reason: 'header x-webhook-secret is repeated',
				unmatched: true,
			});
			// A secret may look like two joined values.
			expect(check({ 'x-webhook-secret': value }, [value])).toMatchObject({ valid: true });
		}
	});

	it('is never accepted when no secret is configured', () => {
		expect(check({ 'x-webhook-secret': '' }, [''])).toEqual(refused(/no signing secret/));
		expect(check({ 'x-webhook-secret': '' }, [])).toEqual(refused(/no signing secret/));
	});
});
