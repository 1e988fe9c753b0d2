import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { IDataObject, INodeParameters, WorkflowExecuteMode } from 'n8n-workflow';

import { ContextHost } from '../../testkit/contextHost';
import { providerNamed } from '../unit/allProviders';
import { registeredByHand } from './hosts';
import { recordLog, recordWarnings } from './logs';
import {
	mailPanda,
	metigan,
	misarBlog,
	misarMail,
	triggersUnderTest,
	type TriggerUnderTest,
} from './providers';
import { signBody } from './signBody';
import { useHosts } from './useHosts';

/** Signed bodies that differ from the documented form: nothing of them is lost without a warning. */

const SECRET = 'whsec_of_this_test';
const AT = '2026-01-02T03:04:05.000Z';
let workflows = 0;
const open = useHosts();

afterEach(() => {
	jest.restoreAllMocks();
});

function startHost(
	trigger: TriggerUnderTest,
	options: INodeParameters = {},
	{
		events = trigger.events,
		mode,
	}: { events?: readonly string[]; mode?: WorkflowExecuteMode } = {},
): ContextHost {
	return open({
		...registeredByHand(trigger, SECRET, {
			events: [...events],
			simplify: false,
			options: { skipDuplicates: false, ...options },
		}),
		workflowId: `workflow ${workflows++}`,
		...(mode === undefined ? {} : { mode }),
	});
}

async function deliver(host: ContextHost, trigger: TriggerUnderTest, written: string | Buffer) {
	const body = Buffer.from(written);
	const event = /"(?:event|type)":"([^"]*)"/.exec(body.toString('latin1'))?.[1]?.trim() ?? '';
	const headers = signBody(trigger, { body, event, secret: SECRET });
	const result = await host.deliver({ headers, body });
	return { ...result, items: result.run?.map(({ json }) => json) };
}

/** The fields of a trigger's bodies that hold the event's name and the time. */
function fieldsOf({ title }: TriggerUnderTest) {
	const { eventFields, timeFields } = providerNamed(title).envelope;
	return { event: eventFields[0] ?? '', time: timeFields[0] ?? '' };
}

function bodyOf(trigger: TriggerUnderTest, event: string, more: IDataObject = {}): string {
	const fields = fieldsOf(trigger);
	return JSON.stringify({ [fields.event]: event, [fields.time]: AT, data: {}, ...more });
}

describe.each(triggersUnderTest)('$title', (trigger) => {
	const [first] = trigger.events;
	const fields = fieldsOf(trigger);

	it('runs an event in capitals or with blanks as the documented one, with a warning', async () => {
		// Misar.Ink documents no name: the one here was chosen under Custom Events, and runs as it came.
		const isDocumented = trigger.provider !== 'misar.ink';
		recordWarnings();
		const host = startHost(trigger);
		for (const written of [first.toUpperCase(), ` ${first} `, first.toUpperCase()]) {
			const { status, items } = await deliver(host, trigger, bodyOf(trigger, written));
			expect(status).toBe(200);
			expect(items).toMatchObject([
				isDocumented
					? {
							event: first,
							warnings: expect.arrayContaining([`${fields.event}: read as ${first}`]),
						}
					: { event: written.trim() },
			]);
		}
	});

	it('counts an unknown event that is not selected, and logs it once', async () => {
		const warnings = recordWarnings();
		const host = startHost(trigger, { reportProblems: true });
		const results = [];
		for (let times = 0; times < 3; times++) {
			results.push(await deliver(host, trigger, bodyOf(trigger, 'never.heard')));
		}
		for (const { status, body } of results) {
			expect({ status, body }).toEqual({
				status: 200,
				body: { received: true, ignored: 'event is not selected' },
			});
		}
		expect(host.runs.flat().map(({ json }) => json)).toMatchObject([
			{
				problem: 'eventsUnknown',
				count: 1,
				events: { 'never.heard': 1 },
				ignored: { 'never.heard': 1 },
			},
		]);
		expect(warnings).toEqual(['A verified delivery was ignored: event is not selected']);
	});

	it('reports large numbers and bytes that are not UTF-8 by their fields', async () => {
		recordWarnings();
		const host = startHost(trigger);
		const body = Buffer.from(
			`{"event":"${first}","timestamp":"${AT}","data":{"id":9007199254740993,"name":"Zo\u00eb"}}`,
			'latin1',
		);
		const { items = [] } = await deliver(host, trigger, body);
		expect(items[0]?.['warnings']).toEqual(
			expect.arrayContaining([
				'the body has bytes that are not UTF-8, each replaced by \ufffd',
				'data.id: a number too large to be exact, its last digits may be wrong',
				'data.name: has bytes that are not UTF-8',
			]),
		);
	});

	it('is read from the bytes that were signed, whatever character set its content type names', async () => {
		const host = startHost(trigger);
		// The content type is not signed, and n8n parses the body as it says.
		host.alterRequest = (request) => {
			request.encoding = 'latin1';
			request.body = JSON.parse(request.rawBody.toString('latin1'));
		};
		const { items } = await deliver(
			host,
			trigger,
			bodyOf(trigger, first, { data: { name: 'Zo\u00eb' } }),
		);
		expect(items).toMatchObject([{ data: { name: 'Zo\u00eb' } }]);
	});

	it('runs with two byte order marks before its body', async () => {
		recordWarnings();
		const { status, items } = await deliver(
			startHost(trigger),
			trigger,
			`\ufeff\ufeff${bodyOf(trigger, first)}`,
		);
		expect(status).toBe(200);
		expect(items).toMatchObject([{ event: first, occurredAt: AT }]);
	});

	it.each([
		['Unix seconds', 1767323045],
		['Unix seconds as text', '1767323045'],
		['a blank for the T', '2026-01-02 03:04:05'],
		['the form of emails', 'Fri, 02 Jan 2026 03:04:05 +0000'],
		['lower case', '2026-01-02t03:04:05z'],
	])('reads a time in %s', async (_what, time) => {
		recordWarnings();
		const body = bodyOf(trigger, first, { [fields.time]: time });
		const { items } = await deliver(startHost(trigger), trigger, body);
		expect(items).toMatchObject([{ occurredAt: AT }]);
	});

	it('reports a time that cannot be read', async () => {
		recordWarnings();
		const { items = [] } = await deliver(
			startHost(trigger),
			trigger,
			bodyOf(trigger, first, { [fields.time]: 'soon' }),
		);
		expect(items).toMatchObject([
			{
				occurredAt: null,
				warnings: expect.arrayContaining([expect.stringMatching(`^${fields.time}: `)]),
			},
		]);
	});

	it('reports a repeated signature header, as two lines and as n8n’s list', async () => {
		const host = startHost(trigger);
		const body = Buffer.from(bodyOf(trigger, first));
		const headers = signBody(trigger, { body, event: first, secret: SECRET });
		const [name = '', value = ''] =
			Object.entries(headers).find(([header]) => /signature|secret/.test(header)) ?? [];
		const repeated = { ...headers, [name]: [value, value] };
		expect(await host.deliver({ headers: repeated, body })).toMatchObject({
			status: 401,
			body: { error: `header ${name} is repeated` },
			run: undefined,
		});
	});
});

it('an unknown event that runs is counted, unless it was chosen by its name', async () => {
	const told = async (events: readonly string[], options: INodeParameters) => {
		const host = startHost(mailPanda, { reportProblems: true, ...options }, { events });
		const { items = [] } = await deliver(host, mailPanda, bodyOf(mailPanda, 'never.heard'));
		expect(items[0]).toMatchObject({ event: 'never.heard' });
		return items.slice(1).map(({ events: names }) => names);
	};
	expect(await told(['*'], {})).toEqual([{ 'never.heard': 1 }]);
	expect(await told([], { customEvents: ' Never.Heard ' })).toEqual([]);
});

describe('the log', () => {
	it('names each ignored event once, and in a test each delivery', async () => {
		const logged = recordLog('info');
		const ignored = bodyOf(metigan, 'email.opened');
		const live = startHost(metigan);
		for (let times = 0; times < 3; times++) await deliver(live, metigan, ignored);
		expect(logged).toEqual(['A verified delivery was ignored: event is not selected']);
		logged.splice(0);
		const test = startHost(metigan, {}, { mode: 'manual' });
		for (let times = 0; times < 3; times++) await deliver(test, metigan, ignored);
		expect(logged).toHaveLength(3);
	});

	it('does not mention a ping, in any spelling', async () => {
		const logged = [recordLog('info'), recordWarnings()];
		const host = startHost(misarMail, { reportProblems: true });
		for (const name of ['ping', 'PING', ' webhook.test ']) {
			expect(await deliver(host, misarMail, bodyOf(misarMail, name))).toMatchObject({
				body: { ignored: 'ping' },
			});
		}
		expect(logged.flat()).toEqual([]);
		expect(host.runs).toEqual([]);
	});

	it('reports a deviation of an event once', async () => {
		const warnings = recordWarnings();
		const host = startHost(metigan);
		for (let times = 0; times < 3; times++) {
			await deliver(host, metigan, bodyOf(metigan, 'email.bounced', { messageId: times }));
		}
		expect(warnings).toEqual(['A verified delivery differs from its documented shape']);
	});
});

it.each([
	['Permanent', 'hard'],
	['HardBounce', 'hard'],
	['hard bounce', 'hard'],
	['Transient', 'soft'],
	['SoftBounce', 'soft'],
	['Undetermined', undefined],
])('a bounce of type %s counts as %s', async (word, type) => {
	recordWarnings();
	recordLog('info');
	for (const trigger of [misarMail, metigan]) {
		for (const selected of ['hard', 'soft', 'any']) {
			const host = startHost(trigger, { bounceType: selected }, { events: ['*'] });
			const data = { email: 'ada@example.com', bounceType: word };
			const { run } = await deliver(host, trigger, bodyOf(trigger, 'Email.Bounced', { data }));
			const runs = type === undefined || selected === 'any' || selected === type;
			expect([trigger.title, selected, run !== undefined]).toEqual([trigger.title, selected, runs]);
		}
	}
});

it.each([
	['a name', 'Ada <ada@example.com>', 'ada@example.com'],
	['blanks', ' ada@example.com ', 'ada@example.com'],
	['a line break', 'ada@example.com\r\nBcc: bob@example.com', null],
	['several', 'ada@example.com, bob@example.com', null],
])(
	'a recipient with %s is reduced to the address or null, with a warning',
	async (_what, email, recipient) => {
		recordWarnings();
		for (const trigger of [misarMail, mailPanda, metigan]) {
			const { items = [] } = await deliver(
				startHost(trigger),
				trigger,
				bodyOf(trigger, trigger.events[0], { data: { recipient: null, email } }),
			);
			const { warnings, recipient: read } = items[0] ?? {};
			expect(read).toBe(recipient);
			expect(warnings).toEqual(expect.arrayContaining([expect.stringMatching(/^data\.email: /)]));
		}
	},
);

it('the header of Misar.Blog is compared with the event in any spelling', async () => {
	const body = Buffer.from(bodyOf(misarBlog, 'Article.Published'));
	const headers = signBody(misarBlog, { body, event: ' article.PUBLISHED', secret: SECRET });
	expect(await startHost(misarBlog).deliver({ headers, body })).toMatchObject({ status: 200 });
});
