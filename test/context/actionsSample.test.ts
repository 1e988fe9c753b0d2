import { describe, expect, it } from '@jest/globals';

import { catalogue, type Sandbox } from '../../sandbox';
import { casesWithApi, misarBlog, misarMail, runAction, type ActionNodeCase } from './actionHost';
import { useSandbox } from './useSandbox';

/** Event -> Get Sample: items as the trigger outputs them. */

let sandbox: Sandbox;
useSandbox((started) => (sandbox = started));
async function sample(action: ActionNodeCase, parameters: object) {
	const { outputs, error, stored } = await runAction(sandbox, action, {
		parameters: { resource: 'event', operation: 'getSample', ...parameters },
	});
	return { items: (outputs[0] ?? []).map(({ json }) => json), error, stored };
}

const products = ['dev', 'ai'].map((product) => ({
	...misarMail,
	title: `Misar ${product}`,
	provider: `misar.${product}` as const,
	parameters: { product },
}));

describe.each([...casesWithApi, misarBlog, ...products] as ActionNodeCase[])(
	'a sample of $title',
	(action) => {
		const documented = catalogue
			.filter(({ provider }) => provider === action.provider)
			.flatMap(({ events }) => events.map(({ name }) => name))
			// Mail Panda's page has two names for each event; deliveries go by the short one.
			.filter((name) => action.provider !== 'mailPanda' || !name.startsWith('email.'));

		it('exists for each documented event, all in one call', async () => {
			const { items } = await sample(action, { events: ['*'] });
			expect(items.map(({ event }) => event)).toEqual(expect.arrayContaining(documented));
			expect(documented.length).toBeGreaterThan(2);
			for (const item of items) {
				expect(item).toMatchObject({ occurredAt: expect.stringMatching(/Z$/) });
				expect(Object.keys(item)).not.toContain('payload');
			}
		});

		it('has the details if it is not simplified, and calls nobody', async () => {
			const before = sandbox.requests().length;
			const [event = ''] = documented;
			const { items } = await sample(action, { events: [event], simplify: false });
			expect(items).toMatchObject([
				{ payload: {}, headers: { 'content-type': 'application/json' }, verification: {} },
			]);
			expect(sandbox.requests()).toHaveLength(before);
		});
	},
);

describe('the events of Get Sample', () => {
	it('may be in another spelling, as an agent may write them', async () => {
		const { items } = await sample(misarMail, { events: 'Email Bounced, EMAIL.opened' });
		expect(items.map(({ event }) => event)).toEqual(['email.bounced', 'email.opened']);
	});

	it.each([
		[['email.exploded'], /^Misar Mail has no event "email.exploded". Did you mean/],
		[' ', /^No event is selected/],
	])('are refused with a message: %j', async (events, message) => {
		const { items, error } = await sample(misarMail, { events });
		expect(items).toEqual([]);
		expect(error?.message).toMatch(message);
	});

	it('are reported if no document shows their body', async () => {
		const { stored } = await sample(misarMail, { events: ['email.delivered', 'email.sent'] });
		expect(stored).toContain('The documentation of Misar Mail shows no body of email.sent:');
		const { stored: documented } = await sample(misarMail, { events: ['email.delivered'] });
		expect(documented).not.toContain('shows no body');
	});
});
