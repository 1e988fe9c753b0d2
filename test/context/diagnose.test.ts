import { describe, expect, it } from '@jest/globals';
import type { IDataObject, INodeParameters } from 'n8n-workflow';

import { buildDelivery, type Sandbox } from '../../sandbox';
import type { ContextHost } from '../../testkit/contextHost';
import { eventParameters } from '../../testkit/triggers';
import * as actions from './actionHost';
import { selfRegistering } from './hosts';
import { misarMail, misarReach, triggersUnderTest, type TriggerUnderTest } from './providers';
import { useSandbox } from './useSandbox';
import { useTicks } from './useTicks';

/** Endpoint → Diagnose, beside a trigger in the same process of n8n. */

const SECRET = 'whsec_given_by_the_user_0123456789';

let sandbox: Sandbox;
const ticks = useTicks();
const open = useSandbox((started) => (sandbox = started), { allowHttp: true, retryTimeScale: 0 });

/** The action node of a trigger's product. */
function actionFor(trigger: TriggerUnderTest): actions.ActionNodeCase {
	const { provider, title, parameters, credentialType } = trigger;
	const known = [...actions.casesWithApi, actions.misarBlog];
	const node = known.find((one) => one.credentialType.name === credentialType.name)?.node;
	if (node === undefined) throw new Error(`${title} has no action node`);
	return { provider, title, node, credentialType, parameters: { ...parameters } };
}

function credentialFor({ api }: TriggerUnderTest): IDataObject {
	return api === undefined ? { signingSecret: SECRET } : {};
}

/** Publishes a trigger at an address of its own; by hand where there is no API. */
async function publish(trigger: TriggerUnderTest): Promise<ContextHost> {
	const registration = trigger.api === undefined ? 'manual' : 'automatic';
	const host = open(
		selfRegistering(trigger, sandbox, {
			nodeParameters: { ...eventParameters(trigger), registration },
			credential: { ...trigger.parameters, ...credentialFor(trigger) } as Record<string, string>,
		}),
	);
	host.restart({ webhookOrigin: await host.listen() });
	await host.publish();
	await ticks.start(host);
	return host;
}

/** Diagnoses the trigger of the own workflow, without a test, unless told otherwise. */
async function diagnose(
	trigger: TriggerUnderTest,
	parameters: INodeParameters = {},
	credential = credentialFor(trigger),
): Promise<IDataObject> {
	const items = await actions.runForData(sandbox, actionFor(trigger), {
		parameters: { resource: 'endpoint', operation: 'diagnose', sendTest: false, ...parameters },
		credential: credential as Record<string, string>,
	});
	expect(items).toHaveLength(1);
	return items[0] ?? {};
}

describe.each(triggersUnderTest)('$title', (trigger) => {
	const { provider, api } = trigger;

	it('is diagnosed before and after an event', async () => {
		const host = await publish(trigger);
		const url = host.webhookUrl;
		const [registered] = sandbox.endpoints(provider);
		const known = {
			url,
			trigger: {
				workflowId: 'wf1',
				registration: api === undefined ? 'manual' : 'automatic',
				events: [...trigger.events],
				options: { reportProblems: false, toleranceSeconds: 300 },
			},
			endpoint: api === undefined ? null : { id: registered?.id, url, active: true },
			reach: { outcome: 'reached' },
			test: null,
		};
		const found = await diagnose(trigger);
		expect(found).toMatchObject({
			...known,
			...{ finding: 'nothingYet', inOrder: true },
			deliveries: { accepted: 0, refused: {}, ignored: {} },
		});

		await sandbox.fire({
			...{ provider, event: trigger.events[0], url, retry: false },
			secret: registered?.secret ?? SECRET,
		});
		const arriving = {
			...known,
			...{ finding: 'arriving', inOrder: true },
			deliveries: { accepted: 1, refused: {} },
		};
		for (const by of [
			{},
			{ by: 'workflow', workflow: { __rl: true, mode: 'id', value: 'wf1' } },
			{ by: 'url', url: `${url}/` },
		]) {
			const again = await diagnose(trigger, by);
			expect(again).toMatchObject({ ...arriving, url: by.url ?? url });
			const shown = JSON.stringify(again);
			for (const secret of [SECRET, registered?.secret, sandbox.keys[provider]]) {
				if (secret !== undefined) expect(shown).not.toContain(secret);
			}
		}
	});
});

describe('Misar Mail, beside a published trigger,', () => {
	const deliver = async (host: ContextHost, event: string, secret?: string) => {
		const [endpoint] = sandbox.endpoints('misar.mail');
		const signed = {
			provider: 'misar.mail',
			event,
			secret: secret ?? endpoint?.secret ?? '',
		} as const;
		await host.deliver(buildDelivery(signed));
	};
	const only = () => sandbox.endpoints('misar.mail')[0]?.id ?? '';

	it('sends a test, and says after which time it was verified', async () => {
		await publish(misarMail);
		const found = await diagnose(misarMail, { sendTest: true });
		expect(found).toMatchObject({
			...{ finding: 'verified', inOrder: true },
			test: { verified: true, afterSeconds: expect.any(Number) },
			attempts: [{ status_code: 200 }],
			deliveries: { accepted: 0, lastVerifiedAt: expect.any(String) },
			verdict: expect.stringMatching(
				/^A test of Misar Mail arrived and was verified after \d+\.\d s\./,
			),
		});
	});

	it('goes by the endpoint that is on, if another one at its URL is off', async () => {
		const host = await publish(misarMail);
		const [own] = sandbox.endpoints('misar.mail');
		const { id } = sandbox.addEndpoint('misar.mail', {
			url: host.webhookUrl,
			events: ['email.sent'],
		});
		for (const [off, on = ''] of [
			[id, own?.id],
			[own?.id ?? '', id],
		] as const) {
			sandbox.changeEndpoint('misar.mail', off, { active: false });
			sandbox.changeEndpoint('misar.mail', on, { active: true });
			expect((await diagnose(misarMail))['finding']).not.toBe('endpointSwitchedOff');
		}
	});

	it('asks for no test of an endpoint that is switched off', async () => {
		await publish(misarMail);
		sandbox.changeEndpoint('misar.mail', only(), { active: false });
		expect(await diagnose(misarMail, { sendTest: true })).toMatchObject({
			...{ finding: 'endpointSwitchedOff', inOrder: false },
			test: null,
		});
	});

	it.each<[string, string, RegExp, (host: ContextHost) => Promise<unknown> | void, IDataObject]>([
		[
			'an endpoint that was deleted',
			'endpointMissing',
			/has no endpoint of Misar Mail with the webhook URL/,
			() => sandbox.removeEndpoint('misar.mail', only()),
			{},
		],
		[
			'an endpoint that was switched off',
			'endpointSwitchedOff',
			/is switched off/,
			() => sandbox.changeEndpoint('misar.mail', only(), { active: false }),
			{},
		],
		[
			'an endpoint for other events',
			'eventsDiffer',
			/is not registered for email\.bounced/,
			() => sandbox.changeEndpoint('misar.mail', only(), { events: ['email.delivered'] }),
			{},
		],
		[
			'a key that does not open the account',
			'providerNotAsked',
			/did not accept the API key \(HTTP 401\) — .*Check the API key/,
			() => {},
			{ apiKey: 'key_of_nobody' },
		],
		[
			'a secret that does not match',
			'deliveriesRefused',
			/all were refused: signature does not match \(2\)/,
			async (host) => {
				for (let times = 0; times < 2; times++) await deliver(host, 'email.bounced', 'whsec_other');
			},
			{},
		],
		[
			'events that are not selected',
			'eventsNotSelected',
			/does not select their events: email\.opened \(1\)/,
			async (host) => await deliver(host, 'email.opened'),
			{},
		],
		[
			'deliveries that get lost on the way',
			'deliveriesFailed',
			/The last delivery of Misar Mail ended/,
			async (host) => {
				const { origin } = new URL(host.webhookUrl);
				sandbox.setRoute(origin, 'http://127.0.0.1:9');
				await sandbox.fire({ provider: 'misar.mail', event: 'email.bounced', retry: false });
			},
			{},
		],
	])('finds %s', async (_, finding, says, cause, credential) => {
		const host = await publish(misarMail);
		await cause(host);
		expect(await diagnose(misarMail, {}, credential)).toMatchObject({
			...{ finding, inOrder: false },
			verdict: expect.stringMatching(says),
		});
	});

	it('reports a test that the provider does not send', async () => {
		await publish(misarMail);
		sandbox.fault({ provider: 'misar.mail', path: /\/test$/, kind: 'status', status: 422 });
		expect(await diagnose(misarMail, { sendTest: true })).toMatchObject({
			...{ finding: 'testNotReceived', inOrder: false },
			test: { verified: false, failure: expect.stringContaining('HTTP 422') },
		});
	});

	it('says so if the workflow has no trigger of the product', async () => {
		await publish(misarReach);
		expect(await diagnose(misarMail)).toMatchObject({
			finding: 'triggerMissing',
			verdict: expect.stringMatching(
				/no published trigger of Misar Mail .* does have a trigger for Misar Reach\./,
			),
		});
		expect(await diagnose(misarMail, { workflow: 'nobody' })).toMatchObject({
			finding: 'triggerMissing',
			workflowId: 'nobody',
		});
	});

	it('says what the provider knows of a URL that no trigger here has', async () => {
		const url = 'http://no-such-host.invalid/webhook/1/misar';
		const { id } = sandbox.addEndpoint('misar.mail', { url, events: ['email.bounced'] });
		expect(await diagnose(misarMail, { by: 'url', url })).toMatchObject({
			...{ finding: 'unclear', inOrder: null },
			...{ trigger: null, deliveries: null, endpoint: { id }, reach: { outcome: 'noAnswer' } },
			verdict: expect.stringMatching(/That proves nothing/),
		});
	});

	it('sends nothing to an address that is neither a trigger’s nor an endpoint’s', async () => {
		const url = `${sandbox.url}/webhook/of-somebody-else`;
		const before = sandbox.requests().length;
		expect(await diagnose(misarMail, { by: 'url', url })).toMatchObject({
			...{ finding: 'endpointMissing', reach: null },
		});
		expect(sandbox.requests().slice(before)).toMatchObject([{ method: 'GET' }]);
	});

	it('recognises a Test URL', async () => {
		const url = 'https://n8n.example.com/webhook-test/1/misar';
		expect(await diagnose(misarMail, { by: 'url', url })).toMatchObject({ finding: 'testUrl' });
	});
});
