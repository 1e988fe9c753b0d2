import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { IHookFunctions } from 'n8n-workflow';

import { metigan } from '../../nodes/Metigan/provider';
import { observe } from '../../nodes/shared/registration/observe';
import type { EndpointSession } from '../../nodes/shared/registration/session';
import { whoAnswersAt, type Occupant } from '../../nodes/shared/registration/webhookProbe';

/** Who answers at the address of an endpoint that may be another n8n's. */

const URL = 'https://n8n.example.com/webhook/1/misar';
const NOT_REGISTERED = {
	code: 404,
	message: 'The requested webhook "POST 1/misar" is not registered.',
	hint: 'The workflow must be active for a production URL to run successfully.',
};

type Answer = readonly [statusCode: number, body: unknown] | { readonly thrown: unknown };

const failure = (code: string) => Object.assign(new Error(code), { code });

/** Asks an address that gives these answers, and then repeats the last one. */
async function ask(answers: readonly Answer[]): Promise<Occupant> {
	let calls = 0;
	const httpRequest = async () => {
		const answer = answers[Math.min(calls++, answers.length - 1)];
		if (answer !== undefined && 'thrown' in answer) throw answer.thrown;
		const [statusCode, body] = answer ?? [];
		return { statusCode, body, headers: {} };
	};
	const helpers = { httpRequest } as never as IHookFunctions['helpers'];
	const asked = whoAnswersAt({ helpers }, URL);
	await jest.advanceTimersByTimeAsync(60_000);
	return await asked;
}

beforeEach(() => {
	jest.useFakeTimers();
});
afterEach(() => {
	jest.useRealTimers();
});

describe('the occupant of an address', () => {
	it.each<[Occupant, string, Answer]>([
		['trigger', 'our refusal of an unsigned request', [401, { error: 'no signature' }]],
		['trigger', 'our refusal for the moment', [503, { error: 'no signing secret is known yet' }]],
		['nobody', 'an n8n without this webhook', [404, NOT_REGISTERED]],
		['nobody', 'the same behind the proxy of deploy/', [503, NOT_REGISTERED]],
		['silence', 'a router without this route', [404, {}]],
		['silence', 'a page that is not found', [404, '<h1>Not found</h1>']],
		['silence', 'another application’s message', [404, { message: 'is not registered.' }]],
		['silence', 'a file server', [405, '']],
		['silence', 'a page that is gone', [410, '']],
		['silence', 'a refused connection', { thrown: failure('ECONNREFUSED') }],
		['silence', 'a name that does not exist', { thrown: failure('ENOTFOUND') }],
		[
			'silence',
			'a refused connection below another error',
			{ thrown: { cause: failure('ECONNREFUSED') } },
		],
		['unknown', 'a host that does not answer in time', { thrown: failure('ETIMEDOUT') }],
		['unknown', 'a request that was given up', { thrown: failure('ECONNABORTED') }],
		['unknown', 'a connection that breaks off', { thrown: failure('ECONNRESET') }],
		['unknown', 'a network that is down', { thrown: failure('EHOSTUNREACH') }],
		['unknown', 'a name server that is down', { thrown: failure('EAI_AGAIN') }],
		['unknown', 'a certificate that is not trusted', { thrown: failure('CERT_HAS_EXPIRED') }],
		['unknown', 'an error without a code', { thrown: new Error('socket hang up') }],
		['unknown', 'an overloaded proxy', [502, '<h1>Bad gateway</h1>']],
		['unknown', 'a service that is down', [503, { error: 'down', code: 7 }]],
		['unknown', 'an n8n that is starting', [200, 'n8n is starting up. Please wait']],
		['unknown', 'a redirect', [302, '']],
		['unknown', 'a login', [401, { error: 'login', code: 3 }]],
	])('is "%s" for %s', async (occupant, _what, answer) => {
		expect(await ask([answer])).toBe(occupant);
	});
});

describe('an n8n that says it has no such webhook', () => {
	it('is asked for longer than a start takes before the address counts as unoccupied', async () => {
		let answered = false;
		const httpRequest = async () => ({ statusCode: 404, body: NOT_REGISTERED });
		const asked = whoAnswersAt({ helpers: { httpRequest } as never }, URL).then((occupant) => {
			answered = true;
			return occupant;
		});
		await jest.advanceTimersByTimeAsync(19_000);
		expect(answered).toBe(false);
		await jest.advanceTimersByTimeAsync(10_000);
		expect(await asked).toBe('nobody');
	});

	it('is not asked for longer if the clock is set back', async () => {
		const httpRequest = jest.fn(async () => ({ statusCode: 404, body: NOT_REGISTERED }));
		const asked = whoAnswersAt({ helpers: { httpRequest } as never }, URL);
		await jest.advanceTimersByTimeAsync(1_000);
		jest.setSystemTime(Date.now() - 24 * 3_600_000);
		await jest.advanceTimersByTimeAsync(29_000);
		const { length } = httpRequest.mock.calls;
		await jest.advanceTimersByTimeAsync(60_000);
		expect(httpRequest.mock.calls).toHaveLength(length);
		expect(await asked).toBe('nobody');
	});

	it.each<[Occupant, string, Answer]>([
		['trigger', 'the trigger answers', [401, { error: 'no signature' }]],
		['silence', 'the connection is refused', { thrown: failure('ECONNREFUSED') }],
		['unknown', 'nothing answers in time', { thrown: failure('ETIMEDOUT') }],
	])('counts as "%s" if a moment later %s', async (occupant, _what, later) => {
		expect(await ask([[404, NOT_REGISTERED], later])).toBe(occupant);
	});
});

it('a private address that an endpoint was pointed at is not asked', async () => {
	const httpRequest = jest.fn();
	const [owner, [provider]] = [{ workflowId: 'wf', nodeId: 'node' }, metigan];
	const pointedAt = { id: 'wh_1', url: 'http://169.254.169.254/latest', active: true };
	const session = {
		...{ context: { helpers: { httpRequest } }, owner, provider, url: URL },
		credential: { baseUrl: 'https://api.example.com' },
		webhookApi: { operations: {} },
		api: { readList: async () => ({ endpoints: [pointedAt], unreadable: [] }) },
		installation: {},
		assertCurrent: () => {},
	};
	const record = { ...owner, endpointId: 'wh_1', apiPath: '/webhooks', url: URL };
	const desired = {
		...{ provider, url: URL, events: [] },
		...{ secretIsCurrent: true, isSameAccount: true, canUpdate: true },
	};
	const seen = await observe(session as never as EndpointSession, record, desired, true);
	expect(seen).toMatchObject({ own: pointedAt, occupant: 'unknown' });
	expect(httpRequest).not.toHaveBeenCalled();
});
