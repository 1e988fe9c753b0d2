import { describe, expect, it } from '@jest/globals';
import type { ICredentialDataDecryptedObject, INodeParameters } from 'n8n-workflow';

import { buildDelivery, type Sandbox } from '../../sandbox';
import type { ContextHost } from '../../testkit/contextHost';
import { mapEach, mapEntries, rewriteAnswers, type Entry } from './answers';
import { selfRegistering } from './hosts';
import { mailPanda, metigan, misarMail, misarReach, type TriggerUnderTest } from './providers';
import { useSandbox } from './useSandbox';

/**
 * Answers that documents leave open: URLs in another form, fields or endpoints left out of a list,
 * ids under another name, masked secrets.
 */

const PORT_443 = /^(https:\/\/[^/]+)/;

let sandbox: Sandbox;
const open = useSandbox((started) => (sandbox = started));

function startHost(
	trigger: TriggerUnderTest,
	nodeParameters: INodeParameters = {},
	credential: ICredentialDataDecryptedObject = {},
): ContextHost {
	return open(selfRegistering(trigger, sandbox, { nodeParameters, credential }));
}

function without(entry: Entry, ...names: string[]): Entry {
	return Object.fromEntries(Object.entries(entry).filter(([name]) => !names.includes(name)));
}

/** Starts n8n six times, and publishes each time as it does then. */
async function startSixTimes(host: ContextHost): Promise<void> {
	for (let start = 0; start < 6; start++) {
		host.restart();
		await host.publish();
	}
}

const providers: ReadonlyArray<[string, TriggerUnderTest]> = [
	['Misar Mail', misarMail],
	['Misar Reach', misarReach],
	['Mail Panda', mailPanda],
	['Metigan', metigan],
];

describe.each(providers)('six starts leave one endpoint if %s', (_name, trigger) => {
	it.each<[string, (entry: Entry) => unknown]>([
		[
			'writes the host in capitals',
			({ url, ...rest }) => ({ ...rest, url: String(url).replace('n8n.example', 'N8N.Example') }),
		],
		[
			'adds :443',
			({ url, ...rest }) => ({ ...rest, url: String(url).replace(PORT_443, '$1:443') }),
		],
		['adds a slash', ({ url, ...rest }) => ({ ...rest, url: `${String(url)}/` })],
		['leaves out the URL', (entry) => without(entry, 'url')],
		['leaves out the events', (entry) => without(entry, 'events')],
		['leaves out whether it is active', (entry) => without(entry, 'active')],
		['leaves out all but the id', (entry) => without(entry, 'url', 'events', 'active')],
	])('%s', async (_what, change) => {
		rewriteAnswers(sandbox, trigger, mapEach(change));
		const host = startHost(trigger);
		await startSixTimes(host);
		expect(sandbox.endpoints(trigger.provider)).toHaveLength(1);
		expect(sandbox.requests().filter(({ method }) => method !== 'GET')).toMatchObject([
			{ method: 'POST' },
		]);
	});

	it('does not list every endpoint', async () => {
		const foreign = Array.from({ length: 5 }, (_, index) =>
			sandbox.addEndpoint(trigger.provider, {
				url: `https://other.example.com/${index}`,
				events: [trigger.events[0]],
			}),
		);
		rewriteAnswers(sandbox, trigger, (answer) =>
			mapEntries(
				answer,
				(list) => list.slice(0, foreign.length),
				(entry) => entry,
			),
		);
		await startSixTimes(startHost(trigger));
		expect(sandbox.endpoints(trigger.provider)).toHaveLength(foreign.length + 1);
	});
});

describe.each(providers)('if %s does not return the events of an endpoint', (_name, trigger) => {
	it('a change of the node’s events still reaches it', async () => {
		sandbox.setBehaviour('misar.reach', { deleteOffered: true });
		rewriteAnswers(
			sandbox,
			trigger,
			mapEach((entry) => without(entry, 'events')),
		);
		const host = startHost(trigger);
		await host.publish();
		host.restart({
			parameters: {
				...trigger.parameters,
				registration: 'automatic',
				events: [trigger.events[1]],
			},
		});
		await host.publish();
		expect(sandbox.endpoints(trigger.provider)).toMatchObject([{ events: [trigger.events[1]] }]);
	});
});

it('an endpoint that was listed again counts as gone once it is deleted', async () => {
	const host = startHost(misarReach);
	let hidden = true;
	rewriteAnswers(sandbox, misarReach, (answer) =>
		mapEntries(
			answer,
			(list) => (hidden ? [] : list),
			(entry) => entry,
		),
	);
	await host.publish();
	hidden = false;
	host.restart();
	await host.publish();
	sandbox.removeEndpoint('misar.reach', sandbox.endpoints('misar.reach')[0]?.id ?? '');
	host.restart();
	await host.publish();
	expect(sandbox.endpoints('misar.reach')).toHaveLength(1);
});

it.each(['_id', 'id'] as const)(
	'Metigan takes one POST to publish if its endpoints have %s, and unpublishes',
	async (idField) => {
		sandbox.setBehaviour('metigan', { idField });
		const host = startHost(metigan);
		await host.publish();
		const posts = sandbox.requests().filter(({ method }) => method === 'POST');
		expect(posts).toHaveLength(1);
		await startSixTimes(host);
		expect(sandbox.endpoints('metigan')).toHaveLength(1);
		await host.unpublish();
		expect(sandbox.endpoints('metigan')).toEqual([]);
	},
);

describe.each(['********', '************************', 'whsec_••••••••••••4f9c', 'whsec_4f9c…'])(
	'a create that is answered with the secret %s',
	(mask) => {
		const maskSecret = (trigger: TriggerUnderTest) =>
			sandbox.fault({
				provider: trigger.provider,
				method: 'POST',
				kind: 'rewrite',
				rewrite: (answer) => ({ ...Object(answer), secret: mask, signatureKey: mask }),
			});
		async function statusOf(host: ContextHost, secret: string) {
			const { provider, events } = misarMail;
			const delivery = buildDelivery({ provider, event: events[0], secret });
			return (await host.deliver(delivery)).status;
		}

		it.each(['', 'whsec_that_the_user_typed'])(
			'verifies with what was sent (credential: %j), not with the mask',
			async (signingSecret) => {
				maskSecret(misarMail);
				const host = startHost(misarMail, {}, { signingSecret });
				await host.publish();
				const [endpoint] = sandbox.endpoints('misar.mail');
				expect(await statusOf(host, endpoint?.secret ?? '')).toBe(200);
				expect(await statusOf(host, mask)).toBe(401);
			},
		);

		it('is refused if the provider issues the secret', async () => {
			sandbox.setBehaviour('misar.reach', { deleteOffered: true });
			maskSecret(misarReach);
			const host = startHost(misarReach);
			await expect(host.create()).rejects.toThrow('without returning its signing secret');
			expect(sandbox.endpoints('misar.reach')).toEqual([]);
		});
	},
);
