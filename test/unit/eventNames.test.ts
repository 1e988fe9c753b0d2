import { describe, expect, it } from '@jest/globals';
import type { IExecuteFunctions } from 'n8n-workflow';

import { mailPanda } from '../../nodes/MailPanda/provider';
import { misarMail } from '../../nodes/Misar/mail';
import { misarInk } from '../../nodes/Misar/platform';
import { eventNames } from '../../nodes/shared/action/eventNames';
import type { Provider } from '../../nodes/shared/provider';

/** How people, expressions and agents write the names of events. */

/** The part of n8n's context that an error of a setting needs. */
const context = {
	getNode: () => ({
		...{ id: 'n1', name: 'Action', type: 'action', typeVersion: 1, position: [0, 0] },
		parameters: {},
	}),
} as Pick<IExecuteFunctions, 'getNode'> as IExecuteFunctions;

const read = (written: readonly string[], provider: Provider = misarMail) =>
	eventNames({ context, provider }, written);

describe('event names', () => {
	it.each<[string, string[], string[]]>([
		['a name', ['email.bounced'], ['email.bounced']],
		['a label', ['Email Bounced'], ['email.bounced']],
		['a label of other words than the name', ['marked as spam'], ['email.complained']],
		['a name in capitals', [' EMAIL.BOUNCED '], ['email.bounced']],
		['names with blanks between', ['email.sent email.opened'], ['email.sent', 'email.opened']],
		['every event', ['All Events'], ['*']],
		['the sign for every event', ['*', ''], ['*']],
	])('are read from %s', (_, written, names) => {
		expect(read(written)).toEqual(names);
	});

	it('are those of the list if a provider has two names for an event', () => {
		expect(read(['email.bounce', 'Email Opened'], mailPanda[0])).toEqual(['bounce', 'open']);
	});

	it('may be anything if no document names any', () => {
		expect(read(['page.published'], misarInk)).toEqual(['page.published']);
	});

	it.each<[string, string]>([
		['email.bouncd', 'Did you mean email.bounced? '],
		['bounce', 'Did you mean email.bounced? '],
		['hard bounce', 'Did you mean email.bounced? '],
		['Emails opened', 'Did you mean email.opened? '],
		['spam', 'Did you mean email.complained? '],
		['email', ''],
		['zebra', ''],
	])('that do not exist ("%s") are refused with a suggestion', (written, question) => {
		expect(() => read(['email.sent', written])).toThrow(
			`Misar Mail has no event "${written}". ${question}Its events are email.sent, email.delivered,`,
		);
	});

	it('are cut in the message when they are very long', () => {
		const long = 'x'.repeat(100_000);
		expect(() => read([long])).toThrow(/has no event "x{60}"\. Its events/);
	});
});
