import { afterAll, afterEach, describe, expect, it, jest } from '@jest/globals';
import * as fc from 'fast-check';
import { NodeApiError, type INode } from 'n8n-workflow';

import { apiFailure } from '../../nodes/shared/api/apiFailure';
import { isPlanRefusal } from '../../nodes/shared/api/refusalBody';
import {
	readAttemptList,
	readEndpoint,
	readEndpointPage,
} from '../../nodes/shared/api/endpointAnswer';
import { parseBody } from '../../nodes/shared/delivery/body';
import { identifyEvent, readEvent } from '../../nodes/shared/delivery/event';
import { seal, unseal } from '../../nodes/shared/state/secretVault';
import { orphansIn, shownIn } from '../../nodes/shared/registration/observe';
import { planFor } from '../../nodes/shared/registration/plan';
import { flawOf, formsOf } from '../../nodes/shared/secretText';
import { verifySignature } from '../../nodes/shared/signature';
import { printFigures } from '../figures';
import {
	CASES,
	check,
	deepJson,
	hostileBody,
	hostileJson,
	hostileText,
	noSecret,
	prototypeNames,
	realSecret,
	runs,
} from '../fuzz';
import { SEED } from '../seed';
import { allProviders } from './allProviders';

/** Whatever comes over the network, the functions that read it return, without side effects. */

/** For a slow machine. */
jest.setTimeout(300_000);

const prototypes = prototypeNames();
afterEach(() => {
	expect(prototypeNames()).toBe(prototypes);
	expect(Object.keys(Object.prototype)).toEqual([]);
});
afterAll(() => {
	printFigures(`Fuzzing of the parsers (TEST_SEED=${SEED})`, runs);
});

const anyProvider = fc.constantFrom(...allProviders);
const HEX = 'ab'.repeat(32);

/** Values of a header: text that nearly is a signature, anything else, lists, none. */
const headerValue = fc.oneof(
	fc
		.array(
			fc.constantFrom(
				't=',
				'v1=',
				'sha256=',
				HEX,
				'1767323045',
				',',
				' ',
				'=',
				'\0',
				'.5',
				'+',
				'-',
				'١',
			),
			{
				maxLength: 12,
			},
		)
		.map((parts) => parts.join('')),
	hostileText,
	fc.array(hostileText, { maxLength: 3 }),
	fc.constant(undefined),
);
const headersOf = (names: readonly string[]) =>
	fc
		.tuple(...names.map(() => headerValue))
		.map((values) => Object.fromEntries(names.map((name, at) => [name, values[at]])));
const HEADER_NAMES = [
	...new Set(
		allProviders.flatMap(({ schemes, envelope }) => [
			...schemes.flatMap((scheme) => [
				scheme.header,
				...(scheme.kind === 'hmac' ? [scheme.timestampHeader ?? ''] : []),
			]),
			...envelope.eventHeaders,
			'x-misar-delivery',
		]),
	),
].filter((name) => name !== '');

describe('a delivery', () => {
	it('gets a verdict with any headers, and no forgery is valid', async () => {
		await check(
			'verifySignature: a verdict, never valid unsigned',
			CASES,
			fc.record({
				provider: anyProvider,
				headers: headersOf(HEADER_NAMES),
				body: fc.uint8Array({ maxLength: 30 }),
				tolerance: fc.constantFrom(0, 300),
			}),
			({ provider, headers, body, tolerance }) => {
				const verdict = verifySignature({ headers, rawBody: Buffer.from(body) }, provider.schemes, {
					secrets: ['whsec_nobody_else_knows', ''],
					toleranceSeconds: tolerance,
					now: 1_767_323_045_000,
				});
				expect(verdict).toEqual({
					valid: false,
					reason: expect.any(String),
					...('unmatched' in verdict && { unmatched: true }),
				});
			},
		);
	});

	it('is read as an event or refused, with any body', async () => {
		await check(
			'parseBody and readEvent: an event that JSON can hold, or none',
			CASES,
			fc.record({ provider: anyProvider, headers: headersOf(HEADER_NAMES), bytes: hostileBody }),
			({ provider, headers, bytes }) => {
				const body = parseBody(bytes);
				if (body === undefined) return;
				const event = readEvent(provider, body, headers);
				expect(event.name).not.toBe('');
				expect(event.warnings.length).toBeLessThanOrEqual(20);
				expect(identifyEvent(provider, body, bytes).deliveryId).not.toBe('');
				if (event.occurredAt !== null) {
					expect(new Date(event.occurredAt).toISOString()).toBe(event.occurredAt);
				}
				expect(Object.prototype.toString.call(event.data)).toBe('[object Object]');
			},
		);
	});
});

describe('an answer of an API', () => {
	it('is read as endpoints that can be worked with, or as none', async () => {
		await check(
			'readEndpoint, readEndpointPage, readAttemptList: no throw',
			CASES,
			fc.oneof({ weight: 300, arbitrary: hostileJson }, { weight: 1, arbitrary: deepJson }),
			(text) => {
				const answer: unknown = JSON.parse(text);
				const one = readEndpoint(answer);
				readAttemptList(answer);
				for (const endpoint of [
					...(readEndpointPage(answer)?.endpoints ?? []),
					...(one ? [one] : []),
				]) {
					const { id } = endpoint;
					// The id becomes one segment of a path, and must not address anything else.
					const path = new URL(`https://example.com/webhooks/${encodeURIComponent(id)}`).pathname;
					expect(path).toBe(`/webhooks/${encodeURIComponent(id)}`);
					expect(path).not.toBe('/webhooks/');
					expect(id.length).toBeLessThanOrEqual(500);
					expect(
						(endpoint.events ?? []).every((name) => name !== '' && typeof name === 'string'),
					).toBe(true);
				}
			},
		);
	});

	it('becomes a readable message without a secret', async () => {
		const node: INode = {
			...{ id: 'n', name: 'Trigger', type: 't', typeVersion: 1 },
			position: [0, 0],
			parameters: {},
		};
		// The later ones begin like the first.
		const secrets = ['whsec_k3yk3y', 'whsec_k3yk3y-and-more', 'msk_live_0123456789'];
		const echo = fc.constantFrom(...secrets);
		const withSecrets = fc
			.tuple(hostileJson, echo, fc.constantFrom('message', 'error', 'field', 'upgrade_url'))
			.map(([text, secret, key]) => `{"${key}":"x ${secret}","data":${text}}`);
		await check(
			'apiFailure: a short message, no secret in it',
			CASES,
			fc.record({
				status: fc.constantFrom(0, 200, 302, 400, 401, 402, 403, 404, 409, 422, 429, 500, 503),
				body: fc.oneof(
					{ weight: 150, arbitrary: hostileJson },
					{ weight: 150, arbitrary: withSecrets },
					{ weight: 1, arbitrary: deepJson },
				),
			}),
			({ status, body: text }) => {
				const body: unknown = JSON.parse(text);
				isPlanRefusal(status, body);
				const request = {
					method: 'GET',
					url: 'https://u:p@example.com/x',
					providerName: 'Misar',
					secrets,
				};
				const error = apiFailure(node, request, { kind: 'status', status, body });
				expect(error).toBeInstanceOf(NodeApiError);
				expect(error.message).toMatch(/Misar/);
				expect(`${error.message}${error.description}`.length).toBeLessThanOrEqual(2_000);
				const shown = JSON.stringify([error, error.message, error.description, error.stack]);
				for (const secret of ['k3yk3y', 'and-more', '0123456789', 'u:p']) {
					expect(shown).not.toContain(secret);
				}
			},
		);
	});
});

describe('a sealed secret', () => {
	it('opens with its own binding only, whatever the text', async () => {
		const binding = { workflowId: 'wf', nodeId: 'node', endpointId: 'wh' };
		const key = { text: 'key', typed: false };
		const keys = [key, { text: '', typed: false }];
		const sealed = seal('whsec_x', key, binding);
		await check(
			'open: no throw, nothing opened',
			CASES,
			fc.oneof(
				hostileText,
				fc.base64String({ maxLength: 120 }).map((text) => `v1.${text.replace(/[+/=]/g, '')}`),
				fc
					.tuple(fc.nat(sealed.length - 6), fc.constantFrom('A', '_', '-', '\0', '=', ''))
					.map(([at, letter]) => `${sealed.slice(0, at + 3)}${letter}${sealed.slice(at + 4)}`)
					.filter((text) => text !== sealed),
			),
			(text) => {
				expect(unseal(text, keys, binding)).toBeUndefined();
			},
		);
	});
});

describe('the plan made from an answer', () => {
	const URL_OF_OURS = 'https://n8n.example.com/webhook/1/misar';
	const OTHER = 'https://other.example.com/webhook/1/misar';
	const record = {
		...{ workflowId: 'wf', nodeId: 'node', endpointId: 'wh_1', apiPath: '/webhooks' },
		...{ product: undefined, url: URL_OF_OURS, events: ['a'] },
	};
	const entry = fc.oneof(
		fc
			.record(
				{
					id: fc.constantFrom('wh_1', 'wh_2', 'wh_3', 7),
					url: fc.constantFrom(URL_OF_OURS, `${URL_OF_OURS}/`, OTHER, `${URL_OF_OURS}/x`, '', null),
					events: fc.constantFrom(['a'], 'a', ['b'], [], null),
					active: fc.constantFrom(true, false, 0, 'false', null),
				},
				{ requiredKeys: [] },
			)
			.map((value) => JSON.stringify(value)),
		hostileJson,
	);

	it('changes the recorded endpoint or what is at our URL, and nothing else', async () => {
		await check(
			'planFor and orphansIn: nobody else’s endpoint',
			CASES,
			fc.record({
				provider: anyProvider,
				got: fc.oneof(entry, fc.constant('null')),
				list: fc.array(entry, { maxLength: 4 }),
				occupant: fc.constantFrom(undefined, 'nobody', 'silence', 'trigger', 'unknown'),
				isSameAccount: fc.boolean(),
				secretIsCurrent: fc.boolean(),
				canUpdate: fc.boolean(),
			}),
			({ provider, got, list, occupant, ...known }) => {
				const one = readEndpoint(JSON.parse(got));
				const lookup = one === undefined ? 'absent' : one.id === 'wh_1' ? one : 'unclear';
				const { endpoints } = readEndpointPage(JSON.parse(`[${list.join(',')}]`)) ?? {
					endpoints: [],
				};
				const place = { owner: { workflowId: 'wf', nodeId: 'node' }, url: URL_OF_OURS };
				const orphans = orphansIn(place, endpoints, record.endpointId);
				const isAtOurs = (url?: string) => url === URL_OF_OURS || url === `${URL_OF_OURS}/`;
				const elsewhere = new Set(
					endpoints.filter(({ url }) => !isAtOurs(url)).map(({ id }) => id),
				);
				const ours = ({ id }: { id: string }) => id !== 'wh_1' && !elsewhere.has(id);
				expect(orphans).toEqual(endpoints.filter(ours));

				const own = shownIn(lookup, endpoints, record);
				const desired = { ...known, provider, url: URL_OF_OURS, events: ['a'] };
				const plan = planFor({ own, occupant }, record, desired);
				if (plan.do !== 'update' && plan.do !== 'replace') return;
				if (typeof own !== 'object') throw new Error(`${plan.do} of what is ${own}`);
				expect(own.id).toBe('wh_1');
				if (!known.isSameAccount) expect(isAtOurs(own.url)).toBe(true);
				expect(['trigger', 'unknown']).not.toContain(occupant);
			},
		);
	});
});

describe('a text in the field of a secret', () => {
	it('is tried as it is, and without surrounding white space or quotes', async () => {
		await check(
			'formsOf: a secret, with and without its fringe',
			CASES,
			realSecret,
			({ text, bare }) => {
				expect(formsOf(text)).toEqual(text === bare ? [bare] : [text, bare]);
			},
		);
	});

	it('is not a secret if it is blank, masked or well known', async () => {
		await check('formsOf: none of what is no secret', CASES, noSecret, ({ text }) => {
			expect(flawOf(text)).toBeDefined();
			expect(formsOf(text)).toEqual([]);
		});
	});

	it('is read without an error, whatever it is', async () => {
		await check('flawOf and formsOf: no throw', CASES, hostileText, (text) => {
			const forms = formsOf(text);
			expect(forms.length > 0).toBe(flawOf(text) === undefined);
			expect(forms).not.toContain('');
		});
	});
});
