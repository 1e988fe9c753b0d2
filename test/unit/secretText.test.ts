import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it, jest } from '@jest/globals';
import type { ICredentialType, INodeProperties } from 'n8n-workflow';

import { operationsOf } from '../../nodes/shared/action/operations';
import { flawOf, formsOf } from '../../nodes/shared/secretText';
import { allProviders } from './allProviders';

const ROOT = join(__dirname, '..', '..');

it.each([
	['', 'empty'],
	[' \t\r\n', 'empty'],
	['\u200b\ufeff\u00a0', 'empty'],
	['""', 'empty'],
	['__n8n_BLANK_VALUE_e5362baf-c777-4d57-a609-6eaf1f9e87f6', 'empty'],
	[' "__n8n_BLANK_VALUE_e5362baf-c777-4d57-a609-6eaf1f9e87f6"\n', 'empty'],
	['__n8n_EMPTY_VALUE_7b1af746-3729-4c60-9b9b-e08eb29e58da', 'empty'],
	['****************', 'masked'],
	['whsec_••••', 'masked'],
	['whsec_●●●●●●●●', 'masked'],
	['whsec_1a2b…9z', 'masked'],
	['whsec_1a2b...9z', 'masked'],
	['whsec_1a2b****9z', 'masked'],
	['xxxxxxxxxxxxxxxx', 'masked'],
	['whsec_XXXXXXXXXXXX', 'masked'],
	['################', 'masked'],
	['whsec____________', 'masked'],
	['whsec_', 'public'],
	['mtg_live_', 'public'],
	['e.g. whsec_1a2b', 'public'],
	['your-webhook-secret', 'public'],
	['whsec_your_secret_key_here', 'public'],
	['<the signing secret>', 'public'],
	['changeme', 'public'],
	['undefined', 'public'],
	['[object Object]', 'public'],
] as const)('%j is not a secret: %s', (text, flaw) => {
	expect(flawOf(text)).toBe(flaw);
	expect(formsOf(text)).toEqual([]);
});

it.each([
	['whsec_0123456789abcdef0123456789abcdef'],
	['s3cret'],
	[`whsec_${'a'.repeat(64)}`],
	['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw=='],
	['correct horse battery staple'],
	['whsec_ünï'],
	['my-secret-1'],
	['z*_)6vVAiv$AP-/6C**'],
])('%j is a secret', (secret) => {
	expect(flawOf(secret)).toBeUndefined();
	expect(formsOf(secret)).toEqual([secret]);
});

it.each([' ', '\n', '\r\n', '\t', '\u00a0', '\u200b', '\ufeff', '\u2060', '"', "'", '`', '“', '”'])(
	'a secret is tried with and without %j around it',
	(fringe) => {
		for (const text of [`${fringe}abc`, `abc${fringe}`, `${fringe}abc${fringe}`]) {
			expect(formsOf(text)).toEqual([text, 'abc']);
		}
	},
);

it('a long text is judged in linear time', () => {
	const text = `a${' '.repeat(200_000)}b${'_'.repeat(3)}`;
	const started = performance.now();
	flawOf(text);
	formsOf(text);
	expect(performance.now() - started).toBeLessThan(2_000);
});

/** Every text that documents and placeholders show as a secret. */
function publicTexts(): string[] {
	const files = [
		...readdirSync(join(ROOT, 'credentials')).map((name) => join('credentials', name)),
		...readdirSync(join(ROOT, 'docs'), { withFileTypes: true })
			.filter((entry) => entry.isFile())
			.map(({ name }) => join('docs', name)),
		...readdirSync(join(ROOT, 'templates')).map((name) => join('templates', name)),
		...['README.md', 'SECURITY.md', 'CHANGELOG.md', 'scripts/repository/README.md'],
	];
	const inFiles = files
		.map((file) => readFileSync(join(ROOT, file), 'utf8'))
		.flatMap((text) => text.match(/\bwhsec_[^\s`'"|),]*/g) ?? []);
	const placeholders = secretFields().flatMap(({ placeholder = '', default: value }) => [
		placeholder,
		placeholder.replace(/^e\.g\. /, ''),
		placeholder.replace(/^e\.g\. /, '').replace(/…$/, ''),
		String(value),
	]);
	return [...new Set([...inFiles, ...placeholders])];
}

/** The fields of credentials and nodes that hold a secret. */
function secretFields(): INodeProperties[] {
	const credentials = readdirSync(join(ROOT, 'credentials')).map((name) => {
		const exported = jest.requireActual<Record<string, new () => ICredentialType>>(
			join(ROOT, 'credentials', name),
		);
		return Object.values(exported).flatMap((Credential) => new Credential().properties);
	});
	const parameters = allProviders.flatMap((provider) =>
		operationsOf(provider).flatMap(({ properties }) => properties(provider)),
	);
	return [...credentials.flat(), ...parameters].filter(
		({ typeOptions }) => typeOptions?.password === true,
	);
}

describe('what a document or a placeholder shows as a secret', () => {
	it.each(publicTexts())('is not a secret: %j', (text) => {
		expect(flawOf(text)).toBeDefined();
	});

	it('is found in the documents and fields', () => {
		expect(publicTexts()).toEqual(
			expect.arrayContaining(['Only while you change the secret', 'whsec_…']),
		);
	});
});
