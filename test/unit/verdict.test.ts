import { describe, expect, it } from '@jest/globals';

import { mailPanda } from '../../nodes/MailPanda/provider';
import { metigan } from '../../nodes/Metigan/provider';
import { misarMail } from '../../nodes/Misar/mail';
import { misarBlog } from '../../nodes/MisarBlog/provider';
import type { Findings } from '../../nodes/shared/action/endpoint/findings';
import { verdictOn, type Case } from '../../nodes/shared/action/endpoint/verdict';
import type { Provider } from '../../nodes/shared/provider';
import type { TriggerSettings } from '../../nodes/shared/settings';

/** The verdicts of a diagnosis, and which of several comes first. */

const URL_OF = 'https://n8n.example.com/webhook/1/misar';
const SINCE = '2026-03-01T12:00:00.000Z';

const settings: TriggerSettings = {
	registration: 'automatic',
	events: ['email.bounced'],
	signatureScheme: 'auto',
	toleranceSeconds: 300,
	skipDuplicates: true,
	bounceType: 'any',
	conditions: [],
	simplify: true,
	acceptUnverified: false,
	checkInterval: 30,
	answer: 'received',
	longRuns: 'sendAgain',
	maxAttempts: 4,
	collectFor: 0,
	collectAtMost: 100,
	outputPerEvent: false,
	reportProblems: false,
	recoverMissed: false,
	recoverNewest: 0,
};

/** A trigger that waits for bounces. */
function triggerWith(changes: Partial<TriggerSettings> = {}, provider: Provider = misarMail) {
	return {
		owner: { workflowId: 'w1', nodeId: 'n1' },
		...{ node: 'Trigger', workflow: 'Bounces', url: URL_OF, provider },
		settings: { ...settings, ...changes },
	};
}

const endpoint = { id: 'wh_1', url: URL_OF, events: ['email.bounced'], active: true };

const counts: NonNullable<Findings['counts']> = {
	since: SINCE,
	accepted: 0,
	lastAcceptedAt: null,
	lastVerifiedAt: null,
	refused: {},
	lastRefusedAt: null,
	ignored: {},
	unmet: {},
};

/** Everything is known and in order, and nothing has arrived. */
const inOrder: Case = {
	provider: misarMail,
	credential: { baseUrl: 'https://api.misar.io', signingSecret: '' },
	url: URL_OF,
	trigger: triggerWith(),
	endpoint,
	failure: undefined,
	attempts: undefined,
	reach: { outcome: 'reached' },
	counts,
	test: undefined,
};

type Row = readonly [what: string, finding: string, changes: Partial<Case>, says: RegExp];

const manual = triggerWith({ registration: 'manual' });
const withoutApi = { provider: misarBlog[0], endpoint: undefined };

const faults: readonly Row[] = [
	[
		'a Test URL',
		'testUrl',
		{ url: 'https://n8n.example.com/webhook-test/1/misar' },
		/only while the editor listens\. Publish the workflow/,
	],
	[
		'an address that is not public',
		'addressPrivate',
		{ url: 'http://localhost:5678/webhook/1/misar' },
		/can only be reached from this machine or its network\. Set N8N_WEBHOOK_URL/,
	],
	[
		'a provider that could not be asked',
		'providerNotAsked',
		{ endpoint: undefined, failure: 'Misar Mail did not accept the API key — Check it' },
		/^Misar Mail did not accept the API key — Check it$/,
	],
	[
		'no endpoint of a trigger that registers itself',
		'endpointMissing',
		{ endpoint: 'absent' },
		/has no endpoint of Misar Mail with the webhook URL .* unpublish the workflow and publish it again/,
	],
	[
		'no endpoint of a trigger with manual registration',
		'endpointMissing',
		{ endpoint: 'absent', trigger: manual },
		/add the URL in the dashboard, or choose Automatic/,
	],
	[
		'no endpoint with a URL of nobody',
		'endpointMissing',
		{ endpoint: 'absent', trigger: undefined, counts: undefined },
		/Publish the workflow with Registration set to Automatic/,
	],
	[
		'an endpoint that is switched off',
		'endpointSwitchedOff',
		{ endpoint: { ...endpoint, active: false } },
		/^Endpoint wh_1 is switched off, .* Publish the workflow again, which switches it on\.$/,
	],
	[
		'an endpoint that is switched off, of a provider that does so',
		'endpointSwitchedOff',
		{ provider: metigan[0], endpoint: { ...endpoint, active: false }, trigger: manual },
		/does that after \d+ failed deliveries in a row\. Switch it on in the dashboard/,
	],
	[
		'an endpoint without an event of the trigger',
		'eventsDiffer',
		{ endpoint: { ...endpoint, events: ['email.opened'] } },
		/^Endpoint wh_1 is not registered for email\.bounced, which the trigger waits for/,
	],
	[
		'an n8n at the URL that does not know it',
		'addressUnreachable',
		{ reach: { outcome: 'notRegistered' } },
		/has no such webhook.*delete the trigger, add it again/,
	],
	[
		'an n8n at the URL that is starting',
		'addressUnreachable',
		{ reach: { outcome: 'starting' } },
		/still starting/,
	],
	[
		'a login page at the URL',
		'addressUnreachable',
		{ reach: { outcome: 'otherAnswer', status: 302 } },
		/Something other than this n8n answers .* \(HTTP 302\).* without a login/,
	],
	[
		'no signing secret with manual registration',
		'secretMissing',
		{ trigger: manual },
		/holds no signing secret.*Enter the Signing Secret of Misar Mail in the credential\.$/,
	],
	[
		'no signing secret of a provider that shows none',
		'secretMissing',
		{ ...withoutApi, trigger: undefined, counts: undefined },
		/no delivery of Misar\.Blog can be verified\. .*ask Misar/,
	],
	[
		'deliveries that were all refused',
		'deliveriesRefused',
		{ counts: { ...counts, refused: { 'signature does not match': 3 } } },
		/since 2026-03-01T12:00:00\.000Z all were refused: signature does not match \(3\)\. Unpublish/,
	],
	[
		'deliveries that were all refused, with manual registration',
		'deliveriesRefused',
		{
			trigger: manual,
			credential: { baseUrl: 'https://api.misar.io', signingSecret: 'whsec_1' },
			counts: { ...counts, refused: { 'signature does not match': 1 } },
		},
		/Compare the Signing Secret in the credential/,
	],
	[
		'a test that did not arrive',
		'testNotReceived',
		{ test: { verifiedAfterMs: undefined } },
		/was asked to send a test delivery, but no valid one arrived within 10 seconds\. The webhook URL may not/,
	],
	[
		'a test that something answered with an error',
		'testNotReceived',
		{ test: { verifiedAfterMs: undefined }, attempts: [{ status_code: 502 }] },
		/It was answered with HTTP 502\./,
	],
	[
		'a test that could not be sent',
		'testNotReceived',
		{ test: { failure: 'Misar Mail limits how often its API may be called — Wait' } },
		/^A test could not be sent\. Misar Mail limits .* — Wait$/,
	],
	[
		'a last delivery that n8n answered with 404',
		'deliveriesFailed',
		{ attempts: [{ status_code: 404 }, { status_code: 200 }] },
		/ended with HTTP 404\. n8n has no webhook at this URL: publish/,
	],
	[
		'a last delivery that was refused',
		'deliveriesFailed',
		{ attempts: [{ status_code: 401 }] },
		/ended with HTTP 401\. The signature did not verify/,
	],
	[
		'a last delivery that a proxy refused',
		'deliveriesFailed',
		{ attempts: [{ status_code: 502 }] },
		/ended with HTTP 502\. n8n or a proxy/,
	],
	[
		'a last delivery without an answer',
		'deliveriesFailed',
		{ attempts: [{ status: 'failed', error: 'timeout' }] },
		/ended without an answer\. Open the webhook URL from outside/,
	],
	[
		'deliveries of other events only',
		'eventsNotSelected',
		{ counts: { ...counts, lastVerifiedAt: SINCE, ignored: { 'email.opened': 2 } } },
		/does not select their events: email\.opened \(2\)\. Choose them/,
	],
	[
		'deliveries that do not meet the conditions',
		'conditionsNotMet',
		{ counts: { ...counts, lastVerifiedAt: SINCE, unmet: { 'email.bounced': 2 } } },
		/do not meet the conditions of the trigger: email\.bounced \(2\)\. See its Options/,
	],
];

describe('a diagnosis finds', () => {
	it.each(faults)('%s (%s)', (_, finding, changes, says) => {
		expect(verdictOn({ ...inOrder, ...changes })).toEqual({
			...{ finding, inOrder: false },
			verdict: expect.stringMatching(says),
		});
	});

	it.each<[string, string, boolean | null, Partial<Case>, RegExp]>([
		[
			'a test that was verified',
			'verified',
			true,
			{ test: { verifiedAfterMs: 1234 } },
			/verified after 1\.2 s\. The workflow starts with the next one of: email\.bounced\.$/,
		],
		[
			'a test that was verified, for every event',
			'verified',
			true,
			{
				trigger: triggerWith({ events: ['*'] }),
				endpoint: { ...endpoint, events: misarMail.events.map(({ name }) => name) },
				test: { verifiedAfterMs: 40 },
			},
			/verified after 0\.0 s\. .* next one of: any event\.$/,
		],
		[
			'deliveries that arrive',
			'arriving',
			true,
			{ counts: { ...counts, accepted: 2, lastAcceptedAt: SINCE, lastVerifiedAt: SINCE } },
			/^Deliveries arrive and start the workflow: 2 since/,
		],
		['nothing yet', 'nothingYet', true, {}, /in order, but nothing has arrived since 2026/],
		[
			'nothing yet, of a trigger that this process does not know',
			'nothingYet',
			true,
			{ trigger: undefined, counts: undefined },
			/nothing has arrived\. The next event will arrive at that URL\.$/,
		],
		[
			'an address that cannot be reached from inside',
			'unclear',
			null,
			{ reach: { outcome: 'noAnswer', code: 'ETIMEDOUT' } },
			/could not be reached \(no answer in time\) from this n8n itself\. That proves nothing/,
		],
		[
			'another process that answers',
			'unclear',
			null,
			{ reach: { outcome: 'otherProcess' } },
			/in another process\. In queue mode/,
		],
		[
			'nothing at all',
			'unclear',
			null,
			{
				...withoutApi,
				...{ trigger: undefined, counts: undefined, reach: undefined },
				credential: { baseUrl: 'https://api.misar.io', signingSecret: 'x' },
			},
			/knows no published trigger .*, and Misar\.Blog could not be asked/,
		],
	])('%s (%s)', (_, finding, isInOrder, changes, says) => {
		expect(verdictOn({ ...inOrder, ...changes })).toEqual({
			...{ finding, inOrder: isInOrder },
			verdict: expect.stringMatching(says),
		});
	});

	it('no difference between two names of one event, nor in events that the provider does not return', () => {
		const trigger = triggerWith({ events: ['bounce'] }, mailPanda[0]);
		for (const events of [['email.bounce'], ['*'], [], undefined]) {
			const shown = { id: '1', url: URL_OF, active: true, ...(events && { events }) };
			const of = { ...inOrder, provider: mailPanda[0], trigger, endpoint: shown };
			expect(verdictOn(of).finding).toBe('nothingYet');
		}
	});

	it('no fault in refused deliveries if another one was verified', () => {
		const refused = { 'signature does not match': 7 };
		const healthy = { ...counts, accepted: 1, lastAcceptedAt: SINCE, lastVerifiedAt: SINCE };
		expect(verdictOn({ ...inOrder, counts: { ...healthy, refused } }).finding).toBe('arriving');
	});

	it('the fault first that keeps everything else from working', () => {
		const all = Object.assign(
			{},
			...faults
				.slice(2)
				.reverse()
				.map(([, , changes]) => changes),
		);
		const found = faults.slice(2, 4).map(([, , changes]) => changes);
		expect(verdictOn({ ...inOrder, ...all, ...found[0] }).finding).toBe('providerNotAsked');
		expect(verdictOn({ ...inOrder, ...all, failure: undefined, ...found[1] }).finding).toBe(
			'endpointMissing',
		);
	});
});
