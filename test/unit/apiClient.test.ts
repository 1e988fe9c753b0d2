import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { IDataObject, INode } from 'n8n-workflow';

import { apiFailure } from '../../nodes/shared/api/apiFailure';
import { ApiClient, type ApiContext } from '../../nodes/shared/api/request';
import type { Provider } from '../../nodes/shared/provider';
import { PacedClient } from '../../nodes/shared/recovery/pacedClient';

/** What an API's answers say about how often it may be called, and how far the client follows that. */

const NOW = Date.parse('2036-03-01T12:00:00Z');
const node = { id: 'node', name: 'Trigger', type: 'trigger', typeVersion: 1 } as INode;
const provider = { displayName: 'Example', credentialType: 'exampleApi' } as Provider;

type Given = { readonly statusCode: number; readonly headers?: IDataObject } | Error;

/** A client whose calls end as given, repeating the last end, and the times of its calls. */
function clientOf(answers: readonly Given[], endAt?: number) {
	const calls: number[] = [];
	const httpRequestWithAuthentication = async () => {
		const given = answers[Math.min(calls.length, answers.length - 1)];
		calls.push(Date.now() - NOW);
		if (given instanceof Error) throw given;
		return { headers: {}, body: {}, ...given };
	};
	const context = { helpers: { httpRequestWithAuthentication }, getNode: () => node };
	const client = new ApiClient(context as never as ApiContext, provider, {
		baseUrl: 'https://api.example.com',
		secrets: [],
		decrypted: {},
		...(endAt === undefined ? {} : { endAt }),
	});
	return { client, calls };
}

async function soon<T>(work: Promise<T>): Promise<T> {
	await jest.advanceTimersByTimeAsync(60 * 60_000);
	return await work;
}

beforeEach(() => {
	jest.useFakeTimers({ now: NOW });
});
afterEach(() => {
	jest.useRealTimers();
});

describe('Retry-After', () => {
	it.each([
		['7', 7],
		['3600', 3_600],
		['3600000', 3_600],
		['99999999999', 3_600],
		['9'.repeat(400), 3_600],
		['Sat, 01 Mar 2036 12:00:30 GMT', 30],
		['Fri, 01 Jan 2070 00:00:00 GMT', 3_600],
		['Sat, 01 Mar 2036 11:00:00 GMT', undefined],
		['1.5', 2],
		['-5', undefined],
		['0', 0],
		['soon', undefined],
		['', undefined],
	])('%s means a wait of %s seconds', async (header, seconds) => {
		const { client } = clientOf([{ statusCode: 429, headers: { 'retry-after': header } }]);
		const attempt = await soon(client.send({ method: 'GET' }, '/', {}));
		expect(attempt).toMatchObject({ kind: 'status', status: 429 });
		expect('retryAfterSeconds' in attempt ? attempt.retryAfterSeconds : undefined).toBe(seconds);
	});
});

describe('consecutive calls', () => {
	it.each([
		['nothing', undefined, 1_000],
		['a plan with more', '300', 200],
		['a number without end', 'Infinity', 0],
		['less than is documented', '1', 1_000],
		['a fraction', '0.01', 1_000],
		['nothing at all', '0', 1_000],
		['less than nothing', '-5', 1_000],
		['no number', 'many', 1_000],
	])('are as far apart as the API says, at most as documented: %s', async (_, limit, gapMs) => {
		const headers = limit === undefined ? {} : { 'x-ratelimit-limit': limit };
		const { client, calls } = clientOf([{ statusCode: 200, headers }]);
		const paced = new PacedClient(client, 60, () => false);
		const call = { path: '/', qs: {}, read: (body: unknown) => body };
		const readAll = async () => {
			for (let count = 0; count < 3; count++) await paced.get(call);
		};
		await soon(readAll());
		expect(calls).toEqual([0, gapMs, 2 * gapMs]);
	});
});

describe('a call', () => {
	it('is not made once the deadline has passed, and counts as having reached nobody', async () => {
		const { client, calls } = clientOf([{ statusCode: 200 }], NOW + 60_000);
		await client.send({ method: 'GET' }, '/', {});
		jest.setSystemTime(NOW + 60_000);
		const attempt = await client.send({ method: 'POST', idempotent: false }, '/', {});
		expect(calls).toHaveLength(1);
		expect(attempt).toEqual({ kind: 'unreachable', code: 'ERR_OUT_OF_TIME' });
		expect(
			client.failure('POST', '/', { kind: 'unreachable', code: 'ERR_OUT_OF_TIME' }),
		).toMatchObject({
			message: 'Example took more than a minute to answer all calls',
			description: expect.stringContaining('try again in a few minutes'),
		});
	});

	it.each([
		['ECONNRESET', 4],
		['ERR_BODY_TOO_LARGE', 1],
	])('that ends with %s is made %i times', async (code, count) => {
		const { client, calls } = clientOf([Object.assign(new Error(code), { code })]);
		const attempt = await soon(client.send({ method: 'GET' }, '/', {}));
		expect(attempt).toEqual({ kind: 'unreachable', code });
		expect(calls).toHaveLength(count);
	});
});

it('an error shows no secret, wherever the answer repeats it', () => {
	const apiKey = 'msk_live_0123456789';
	const { message, description } = apiFailure(
		node,
		{
			method: 'GET',
			url: `https://api.example.com/${apiKey}`,
			providerName: 'Example',
			secrets: [apiKey],
		},
		{
			kind: 'status',
			status: 402,
			body: {
				message: `The plan of ${apiKey} is full`,
				upgrade_url: `https://example.com/?key=${apiKey}`,
			},
		},
	);
	expect(message).toContain('plan');
	expect(description).toContain('https://example.com/?key=***');
	expect(`${message} ${description}`).not.toContain(apiKey);
});
