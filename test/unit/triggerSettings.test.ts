import { describe, expect, it } from '@jest/globals';
import type { IDataObject, INode, IWebhookFunctions } from 'n8n-workflow';

import { readApiOptions, readSettings } from '../../nodes/shared/settings';
import type { Provider } from '../../nodes/shared/provider';
import { allProviders } from './allProviders';

/** Settings of a trigger that a workflow may contain: it can come from a file instead of the editor. */

const [mail] = allProviders;

function settingsOf(provider: Provider | undefined, options: IDataObject, more: IDataObject = {}) {
	if (provider === undefined) throw new Error('there is no provider');
	const parameters: IDataObject = { events: ['*'], options, ...more };
	const node: INode = {
		...{ id: 'n', name: 'Trigger', type: 't', typeVersion: 1 },
		position: [0, 0],
		parameters: {},
	};
	const context: Partial<IWebhookFunctions> = {
		getNode: () => node,
		getNodeParameter: (name: string, fallback?: unknown) => (parameters[name] ?? fallback) as never,
	};
	return readSettings(context as IWebhookFunctions, provider);
}

describe.each(allProviders)('$displayName', (provider) => {
	it('accepts unverified deliveries only if its documents allow webhooks without a secret', () => {
		const { acceptUnverified } = settingsOf(provider, { acceptUnverified: true });
		expect(acceptUnverified).toBe(provider.secretOptional === true);
	});

	it('answers after the run only if its provider retries', () => {
		const { answer } = settingsOf(provider, { answer: 'succeeded' });
		expect(answer).toBe(provider.envelope.retried ? 'succeeded' : 'received');
	});

	it('recovers missed events only if its API lists them', () => {
		const { recoverMissed } = settingsOf(provider, { recoverMissed: true });
		expect(recoverMissed).toBe(provider.recovery !== undefined);
	});

	it('is registered by hand if it has no API, whatever is chosen', () => {
		const { registration } = settingsOf(provider, {}, { registration: 'automatic' });
		expect(registration).toBe(provider.api === undefined ? 'manual' : 'automatic');
	});
});

it.each([
	['checkInterval', 0, true],
	['checkInterval', 1.5, false],
	['checkInterval', -1, false],
	['checkInterval', '30', false],
	['toleranceSeconds', 0, true],
	['toleranceSeconds', 0.5, true],
	['toleranceSeconds', -1, false],
	['toleranceSeconds', Number.NaN, false],
	['maxAttempts', 1, true],
	['maxAttempts', 0, false],
	['maxAttempts', 2.5, false],
	['collectFor', 0, true],
	['collectFor', 0.5, true],
	['collectFor', 5, true],
	['collectFor', 5.5, false],
	['collectFor', -1, false],
	['collectFor', '1', false],
	['collectAtMost', 1, true],
	['collectAtMost', 0, false],
	['collectAtMost', 2.5, false],
	['signatureScheme', mail?.schemes[0]?.id, true],
	['signatureScheme', 'reach', false],
	['signatureScheme', 'constructor', false],
	['skipDuplicates', 'true', false],
	['outputPerEvent', true, true],
	['outputPerEvent', 'true', false],
	['reportProblems', 1, false],
	['bounceType', 'hard', true],
	['bounceType', 'Hard', false],
	['answer', 'later', false],
	['longRuns', 'received', true],
	['longRuns', 'never', false],
	['itemAddress', 'query', true],
	['itemAddress', 'header', false],
	['apiPath', 7, false],
	['recoverNewest', 0, true],
	['recoverNewest', 25, true],
	['recoverNewest', -1, false],
	['recoverNewest', 1.5, false],
	['customEvents', ['a'], false],
])('the option %s accepts %j: %s', (name, value, isUsable) => {
	const read = () => settingsOf(mail, { [name]: value });
	if (isUsable) expect(read()).toMatchObject({ [name]: value });
	else expect(read).toThrow(`The option "${name}" cannot be used`);
});

it('events may be a text with commas', () => {
	const { events } = settingsOf(mail, {}, { events: 'email.sent, email.bounced' });
	expect(events).toEqual(['email.sent', 'email.bounced']);
});

it('options that are not set have their documented defaults', () => {
	expect(settingsOf(mail, {})).toEqual({
		...{ signatureScheme: 'auto', toleranceSeconds: 300, skipDuplicates: true, simplify: true },
		...{ checkInterval: 30, answer: 'received', longRuns: 'sendAgain', maxAttempts: 4 },
		...{ reportProblems: false, recoverMissed: false, recoverNewest: 0, bounceType: 'any' },
		...{ acceptUnverified: false, conditions: [], outputPerEvent: false },
		...{ collectFor: 0, collectAtMost: 100 },
		...{ events: ['*'], registration: 'automatic' },
	});
});

it('events are not collected if each is answered after a run of its own', () => {
	const both = { collectFor: 1, answer: 'succeeded' };
	expect(() => settingsOf(mail, both)).toThrow('Collect For cannot be used with Answer');
	const blog = allProviders.find(({ id }) => id === 'misarBlog');
	expect(settingsOf(blog, both)).toMatchObject({ collectFor: 1, answer: 'received' });
});

it('the events are those of the list and of Custom Events, each once, and at least one is required', () => {
	const events = ['email.sent', '', 'email.opened'];
	const custom = { customEvents: ' email.opened,my.event\n' };
	expect(settingsOf(mail, custom, { events })).toMatchObject({
		events: ['email.sent', 'email.opened', 'my.event'],
	});
	expect(() => settingsOf(mail, {}, { events: [] })).toThrow('No event is selected');
});

it.each([
	[
		{ apiPath: ' /v2/hooks ', itemAddress: 'body' },
		{ apiPath: '/v2/hooks', itemAddress: 'body' },
	],
	[{ apiPath: ' ', itemAddress: 'auto' }, {}],
	[{ apiPath: 7 }, {}],
	['nothing of the kind', {}],
])('the options %j give the API options %j', (given, expected) => {
	expect(readApiOptions(given)).toEqual(expected);
});
