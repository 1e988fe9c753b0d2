import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { NodeOperationError, type INodeParameters } from 'n8n-workflow';

import { buildDelivery, type Sandbox } from '../../sandbox';
import { ContextHost, type ContextHostOptions } from '../../testkit/contextHost';
import { registeredByHand, selfRegistering } from './hosts';
import { recordWarnings } from './logs';
import {
	metigan,
	misarBlog,
	misarDev,
	misarMail,
	misarReach,
	type TriggerUnderTest,
} from './providers';
import { signBody } from './signBody';
import { useSandbox } from './useSandbox';

/** What a person who listens for a test event is told, and what n8n logs while nothing has verified. */

const SECRET = 'whsec_of_this_test';
const FORGED = 'whsec_of_a_forger';
let sandbox: Sandbox;

let workflows = 0;

const open = useSandbox((started) => (sandbox = started));
afterEach(() => void jest.restoreAllMocks());

function startHost(
	trigger: TriggerUnderTest,
	parameters: INodeParameters = {},
	changes: Partial<ContextHostOptions> = {},
): ContextHost {
	return open({
		...registeredByHand(trigger, SECRET, { events: [trigger.events[0]], ...parameters }),
		// The process remembers a trigger by its workflow.
		workflowId: `workflow ${workflows++}`,
		...changes,
	});
}

type Delivery = Parameters<ContextHost['deliver']>[0];
type Input = Parameters<typeof buildDelivery>[0];

const signed = (trigger: TriggerUnderTest, changes: Partial<Input> = {}): Delivery =>
	buildDelivery({
		provider: trigger.provider,
		event: trigger.events[0],
		secret: SECRET,
		scheme: trigger.scheme,
		...changes,
	});

/** A signed body that is rewritten on the way. */
function rewritten(trigger: TriggerUnderTest, from: string, to: string): Delivery {
	const [event] = trigger.events;
	return {
		headers: signBody(trigger, { body: Buffer.from(from), event, secret: SECRET }),
		body: to,
	};
}

const BODY = { event: 'email.bounced', data: { url: 'https://é.example/a', list: ['a, b: c', 2] } };
const COMPACT = JSON.stringify(BODY);
const INDENTED = JSON.stringify(BODY, null, 2);
/** As Python's `json.dumps` and PHP's `json_encode` write it. */
const PYTHON =
	'{"event": "email.bounced", "data": {"url": "https://\\u00e9.example/a", "list": ["a, b: c", 2]}}';
const PHP =
	'{"event":"email.bounced","data":{"url":"https:\\/\\/\\u00e9.example\\/a","list":["a, b: c",2]}}';

function forged(trigger: TriggerUnderTest, body: string): Delivery {
	const [event] = trigger.events;
	const headers = signBody(trigger, { body: Buffer.from(body), event, secret: FORGED });
	return { headers, body };
}

/** A body with so many objects, each in the one before. */
const nested = (levels: number) => `${'{"data":'.repeat(levels)}1${'}'.repeat(levels)}`;

interface Row {
	readonly trigger?: TriggerUnderTest;
	readonly parameters?: INodeParameters;
	readonly credential?: ContextHostOptions['credential'];
	readonly send: (trigger: TriggerUnderTest) => Delivery;
	readonly message: string;
	readonly description: RegExp;
}

const MISMATCH = 'A delivery arrived and was refused: signature does not match';
const NOT_SELECTED = 'A delivery arrived and was ignored: event is not selected';
const CHANGED = /^The signing secret is right, but the body was changed on its way/;

const rows: Record<string, Row> = {
	'the signing secret is another': {
		send: (trigger) => signed(trigger, { secret: FORGED }),
		message: MISMATCH,
		description: /^Compare the Signing Secret in the credential with the one that Metigan shows/,
	},
	'the signing secret is another, with blanks around it': {
		credential: { signingSecret: ` ${FORGED}\n` },
		send: (trigger) => signed(trigger),
		message: `${MISMATCH}; the signing secret has white space or quotes around it`,
		description: /^Compare the Signing Secret/,
	},
	'the signing secret is another, and the body is nested deeper than can be written': {
		send: (trigger) => forged(trigger, nested(20_000)),
		message: MISMATCH,
		description: /^Compare the Signing Secret/,
	},
	'the signing secret is another, and the body is nested so deeply that indents take megabytes': {
		send: (trigger) => forged(trigger, nested(5_000)),
		message: MISMATCH,
		description: /^Compare the Signing Secret/,
	},
	'a proxy indented the body': {
		send: (trigger) => rewritten(trigger, COMPACT, INDENTED),
		message: MISMATCH,
		description: CHANGED,
	},
	'a workflow wrote an indented body anew': {
		send: (trigger) => rewritten(trigger, INDENTED, COMPACT),
		message: MISMATCH,
		description: CHANGED,
	},
	'a workflow wrote a body of Python anew': {
		send: (trigger) => rewritten(trigger, PYTHON, COMPACT),
		message: MISMATCH,
		description: CHANGED,
	},
	'a workflow wrote a body of PHP anew': {
		send: (trigger) => rewritten(trigger, PHP, COMPACT),
		message: MISMATCH,
		description: CHANGED,
	},
	'a line end was lost': {
		send: (trigger) => rewritten(trigger, `${COMPACT}\n`, COMPACT),
		message: MISMATCH,
		description: CHANGED,
	},
	'the body was tampered with': {
		send: (trigger) => signed(trigger, { tamper: 'body' }),
		message: MISMATCH,
		description: /^Compare the Signing Secret/,
	},
	'the clock is fast': {
		send: (trigger) => signed(trigger, { tamper: 'stale' }),
		message: 'A delivery arrived and was refused: timestamp is more than 300 seconds away from now',
		description:
			/^Its signature is valid, but according to this n8n’s clock it was signed 10 minutes ago\. Correct that clock/,
	},
	'the clock is slow': {
		send: (trigger) => signed(trigger, { tamper: 'future' }),
		message: 'A delivery arrived and was refused: timestamp is more than 300 seconds away from now',
		description: /it was signed 10 minutes in the future/,
	},
	'another scheme is chosen': {
		parameters: { options: { signatureScheme: 'legacy' } },
		send: (trigger) => signed(trigger),
		message:
			'A delivery arrived and was refused: signature header is missing (expected x-metigan-signature)',
		description:
			/^It is signed with a different scheme.*Choose “X-Webhook-Signature.*” under Options/,
	},
	'it comes in the old scheme': {
		send: (trigger) => signed(trigger, { scheme: 'legacy' }),
		message:
			'A delivery arrived and was refused: signature header is missing (expected x-webhook-signature)',
		description: /Choose “X-Metigan-Signature \(Legacy\)” under Options → Signature Scheme$/,
	},
	'it carries the header of another product': {
		trigger: misarMail,
		send: () => signed(misarReach),
		message:
			'A delivery arrived and was refused: signature header is missing (expected x-misar-signature or x-misarmail-signature)',
		description: /^It looks like a delivery of Misar Reach, and this trigger is for Misar Mail/,
	},
	'its body is another product’s': {
		trigger: misarDev,
		send: () => signed(misarDev, { product: 'mail', secret: FORGED }),
		message: MISMATCH,
		description: /^It looks like a delivery of Misar Mail, and this trigger is for Misar\.Dev/,
	},
	'it is another product’s, with the same signing secret': {
		trigger: misarDev,
		send: () => signed(misarDev, { product: 'mail' }),
		message: 'A delivery arrived and was refused: the delivery is for a different product',
		description: /^Its signature is valid/,
	},
	'it is not signed': {
		trigger: misarBlog,
		send: (trigger) => signed(trigger, { tamper: 'unsigned' }),
		message:
			'A delivery arrived and was refused: signature header is missing (expected x-misar-signature or x-webhook-secret)',
		description:
			/^It is not signed\. If Misar\.Blog sent it, its webhook there has no signing secret/,
	},
	'its signature is not in the documented format': {
		send: () => ({ headers: { 'x-webhook-signature': 'nonsense' }, body: COMPACT }),
		message:
			'A delivery arrived and was refused: header x-webhook-signature is not in the documented format',
		description: /^Either something other than Metigan sent it, or/,
	},
	'its body is multipart': {
		send: (trigger) => ({
			...signed(trigger),
			headers: { ...signed(trigger).headers, 'content-type': 'multipart/form-data; boundary=x' },
		}),
		message: 'A delivery arrived and was refused: the body cannot be verified',
		description: /^No provider sends such a body/,
	},
	'it is no JSON object': {
		send: (trigger) => rewritten(trigger, '["a"]', '["a"]'),
		message: 'A delivery arrived and was refused: the body is not a JSON object',
		description: /^Its signature is valid/,
	},
	'the event is not selected': {
		send: (trigger) => signed(trigger, { event: 'email.complained' }),
		message: `${NOT_SELECTED} (Marked as Spam, email.complained)`,
		description:
			/^Its signature is valid, .* Choose this event too, or make one of the chosen events happen$/,
	},
	'the event does not meet the conditions': {
		parameters: {
			options: { conditions: { rows: [{ field: 'data.subject', operator: 'notExists' }] } },
		},
		send: (trigger) => signed(trigger, { data: { recipient: 'ada@example.com', subject: 'Hi' } }),
		message:
			'A delivery arrived and was ignored: condition 1 is not met: data.subject (Email Bounced, email.bounced)',
		description: /^Its signature is valid, .* Change Options → Conditions/,
	},
	'the event is in no list': {
		send: (trigger) => signed(trigger, { event: 'brand.new' }),
		message: `${NOT_SELECTED} (brand.new)`,
		description: /^Its signature is valid/,
	},
	'the bounce is of the other type': {
		trigger: misarMail,
		parameters: { options: { bounceType: 'hard' } },
		send: (trigger) => signed(trigger, { data: { bounce_type: 'soft' } }),
		message:
			'A delivery arrived and was ignored: only hard bounces are selected (Email Bounced, email.bounced)',
		description: /^Its signature is valid/,
	},
};

describe.each(Object.entries(rows))('if %s,', (_title, row) => {
	const { trigger = metigan, parameters = {}, credential, send, message, description } = row;
	const changes = credential === undefined ? {} : { credential };

	it.each([false, true])(
		'the trigger ends listening with an error that says so (Report Problems: %p)',
		async (reportProblems) => {
			const { options = {}, ...others } = parameters;
			const all = { ...others, options: { ...Object(options), reportProblems } };
			const host = startHost(trigger, all, { ...changes, mode: 'manual' });
			const delivery = send(trigger);
			const { run = [] } = await host.deliver(delivery);
			const error: unknown = await host.execute(run, 'manual').catch((thrown: unknown) => thrown);
			expect(error).toBeInstanceOf(NodeOperationError);
			expect(error).toMatchObject({ message, description: expect.stringMatching(description) });
			const text = JSON.stringify(run);
			const signatures = Object.values(delivery.headers).flat();
			for (const secret of [SECRET, FORGED, ...signatures.filter(({ length }) => length > 40)]) {
				expect(text).not.toContain(secret);
			}
		},
	);

	it('the provider gets the same answer as from a published trigger', async () => {
		recordWarnings();
		const test = await startHost(trigger, parameters, { ...changes, mode: 'manual' }).deliver(
			send(trigger),
		);
		const published = await startHost(trigger, parameters, changes).deliver(send(trigger));
		expect([test.status, test.body]).toEqual([published.status, published.body]);
		expect(published.run).toBeUndefined();
	});
});

describe('a test listener', () => {
	it('is not ended by requests without a header of the provider, nor by a ping', async () => {
		const host = startHost(metigan, {}, { mode: 'manual' });
		for (const body of ['{}', COMPACT, '']) {
			const { status, run } = await host.deliver({ headers: {}, body });
			expect([status, run]).toEqual([401, undefined]);
		}
		expect(await host.deliver(signed(metigan, { event: 'ping' }))).toMatchObject({
			status: 200,
			run: undefined,
		});
		const { run } = await host.deliver(signed(metigan));
		expect(await host.execute(run ?? [], 'manual')).toMatchObject([
			[{ json: { event: metigan.events[0] } }],
		]);
	});

	it('with Report Problems shows a problem beside an event, and counts nothing for the published trigger', async () => {
		recordWarnings();
		const credential = { signingSecret: SECRET, previousSigningSecret: FORGED };
		const options = { reportProblems: true };
		const host = startHost(metigan, { options }, { credential, mode: 'manual' });
		for (let times = 0; times < 2; times++) {
			const { run } = await host.deliver(signed(metigan, { secret: FORGED }));
			expect(await host.execute(run ?? [], 'manual')).toMatchObject([
				[{ json: { event: metigan.events[0] } }],
				[{ json: { problem: 'verifiedByPreviousSecret', count: 1 } }],
			]);
		}
		host.restart({ mode: 'webhook', credential: { signingSecret: SECRET } });
		const { run } = await host.deliver(signed(metigan, { secret: 'another' }));
		expect(run).toHaveLength(1);
		expect(run?.[0]?.json).not.toHaveProperty('lastValidAt');
	});

	it.each([
		['sent a secret', misarMail],
		['issued one', misarReach],
	])('that registered itself and %s says what another endpoint sends', async (_what, trigger) => {
		const host = open({
			...selfRegistering(trigger, sandbox),
			mode: 'manual',
			workflowId: `listens for ${trigger.title}`,
		});
		await host.publish();
		const { status, run = [] } = await host.deliver(signed(trigger, { secret: FORGED }));
		expect(status).toBe(401);
		await expect(host.execute(run, 'manual')).rejects.toMatchObject({
			message: MISMATCH,
			description: expect.stringMatching(/^The trigger knows the signing secret of the endpoint/),
		});
	});
});

describe('a published trigger without Report Problems', () => {
	const wrong = (tamper?: 'stale') => signed(metigan, tamper ? { tamper } : { secret: FORGED });

	it('warns once of each kind of refusal while nothing has verified', async () => {
		const warnings = recordWarnings();
		const host = startHost(metigan);
		for (let times = 0; times < 3; times++) await host.deliver(wrong());
		expect(warnings).toEqual([
			'A delivery was refused, and none has verified since n8n started: signature does not match. Compare the Signing Secret in the credential with the one that Metigan shows for this webhook. If it no longer shows one, add the webhook there again and enter its new secret',
		]);
		await host.deliver(wrong('stale'));
		expect(warnings[1]).toMatch(/it was signed 10 minutes ago/);
		expect(warnings).toHaveLength(2);
		expect(JSON.stringify(warnings)).not.toContain(SECRET);
		expect(host.runs).toEqual([]);
	});

	it('warns of none that carry no header of the provider', async () => {
		const warnings = recordWarnings();
		await startHost(metigan).deliver({ headers: {}, body: '{}' });
		expect(warnings).toEqual([]);
	});

	it('warns of none once a delivery has verified', async () => {
		const warnings = recordWarnings();
		const host = startHost(metigan);
		await host.deliver(signed(metigan));
		await host.deliver(wrong());
		expect(warnings).toEqual([]);
	});
});
