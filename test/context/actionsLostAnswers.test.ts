import { describe, expect, it } from '@jest/globals';
import type { INodeParameters } from 'n8n-workflow';

import type { Fault, Sandbox } from '../../sandbox';
import { providerNamed } from '../unit/allProviders';
import {
	casesWithApi,
	mailPanda,
	metigan,
	misarMail,
	runAction,
	type ActionCase,
} from './actionHost';
import { useSandbox } from './useSandbox';

/** Every operation that changes something, where the provider does it and its answer is lost. */

const LOST: ReadonlyArray<Pick<Fault, 'kind' | 'when'>> = [
	{ kind: 'drop', when: 'after' },
	{ kind: 'truncate', when: 'after' },
	{ kind: 'html', when: 'after' },
];
const CHANGES = ['POST', 'PUT', 'PATCH', 'DELETE'];

let sandbox: Sandbox;
useSandbox((started) => (sandbox = started), { retryTimeScale: 0 });

/** Runs an operation on an endpoint that is there, and loses the first answer. */
async function loseAnswer(
	action: ActionCase,
	method: string,
	parameters: INodeParameters,
	lost: Pick<Fault, 'kind' | 'when'>,
) {
	const { provider } = action;
	sandbox.setBehaviour('misar.post', { pingOnCreate: false });
	const { id } = sandbox.addEndpoint(provider, {
		url: 'https://app.example.com/hooks',
		events: [...action.events],
	});
	sandbox.fault({ ...lost, provider, method });
	const { error } = await runAction(sandbox, action, {
		parameters: { endpoint: { __rl: true, mode: 'id', value: id }, ...parameters },
	});
	const sent = sandbox.requests().filter((request) => CHANGES.includes(request.method));
	sandbox.reset();
	return { error, sent: sent.length };
}

type Tried = [string, ActionCase, INodeParameters];

const once: readonly Tried[] = [
	...casesWithApi.flatMap((action) => {
		const { update } = providerNamed(action.title).api?.operations ?? {};
		return ['create', ...(update === undefined ? [] : ['createOrUpdate'])].map(
			(operation): Tried => {
				const url = 'https://app.example.com/new';
				const parameters = { resource: 'endpoint', operation, url, events: ['*'] };
				return [`${action.title}, ${operation}`, action, parameters];
			},
		);
	}),
	['Misar Mail, Send Test', misarMail, { resource: 'endpoint', operation: 'test' }],
	[
		'Mail Panda, Record',
		mailPanda,
		{ resource: 'event', operation: 'record', eventType: 'email.opened', emailId: 'msg_1' },
	],
];

describe.each(once)('%s', (_, action, parameters) => {
	it.each(LOST)('is sent once, and says that it may have been done: $kind', async (lost) => {
		const { error, sent } = await loseAnswer(action, 'POST', parameters, lost);
		expect(error).toMatchObject({
			name: 'NodeApiError',
			description: expect.stringContaining('It may have taken effect'),
		});
		expect(sent).toBe(1);
	});
});

describe.each([misarMail, mailPanda, metigan])('$title', (action) => {
	const updates = { resource: 'endpoint', operation: 'update', updateFields: { active: false } };
	const method = action === mailPanda ? 'PUT' : 'PATCH';

	it.each([
		['Update', method, updates],
		['Delete', 'DELETE', { resource: 'endpoint', operation: 'delete' }],
	] as const)(
		'repeats %s, because a second one changes nothing more',
		async (_, verb, parameters) => {
			for (const lost of LOST) {
				const { error, sent } = await loseAnswer(action, verb, parameters, lost);
				expect(error).toBeUndefined();
				expect(sent).toBeGreaterThan(1);
			}
		},
	);
});
