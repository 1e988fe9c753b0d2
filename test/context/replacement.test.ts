import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NodeApiError } from 'n8n-workflow';

import { buildDelivery, type Sandbox } from '../../sandbox';
import type { ContextHost } from '../../testkit/contextHost';
import { selfRegistering } from './hosts';
import { recordWarnings } from './logs';
import { misarMail, misarReach, type TriggerUnderTest } from './providers';
import { useSandbox } from './useSandbox';

/** An endpoint that cannot be updated is replaced, whatever fails meanwhile. */

let sandbox: Sandbox;
let host: ContextHost;

const openHost = useSandbox((started) => {
	sandbox = started;
});
afterEach(() => {
	jest.restoreAllMocks();
});

async function publish(trigger: TriggerUnderTest): Promise<void> {
	host = openHost(selfRegistering(trigger, sandbox));
	await host.publish();
}

/** Has the provider switch off the only endpoint. */
function switchOff({ provider }: TriggerUnderTest): string {
	const [endpoint] = sandbox.endpoints(provider);
	if (endpoint === undefined) throw new Error('There is no endpoint');
	sandbox.changeEndpoint(provider, endpoint.id, { active: false });
	host.restart();
	return endpoint.id;
}

describe('a replacement at Misar Reach', () => {
	const { provider } = misarReach;
	let before: string;

	beforeEach(async () => {
		sandbox.setBehaviour(provider, { deleteOffered: true });
		await publish(misarReach);
		before = switchOff(misarReach);
	});

	it('is created before the old endpoint is deleted', async () => {
		const seen = sandbox.requests().length;
		await host.publish();
		const changes = sandbox
			.requests()
			.slice(seen)
			.filter(({ method }) => method !== 'GET');
		expect(changes).toMatchObject([
			{ method: 'POST' },
			{ method: 'DELETE', path: expect.stringMatching(new RegExp(`/${before}$`)) },
		]);
		expect(sandbox.endpoints(provider)).toMatchObject([{ active: true }]);
	});

	it('leaves the old endpoint in place while no answer to a create arrives', async () => {
		sandbox.fault({
			provider,
			method: 'POST',
			kind: 'status',
			status: 500,
			when: 'after',
			times: Number.POSITIVE_INFINITY,
		});
		await expect(host.checkExists()).rejects.toThrow(NodeApiError);
		expect(sandbox.endpoints(provider)).toMatchObject([{ id: before }]);
	});

	it('invalidates the secret of the old endpoint if it cannot be deleted, so that no event runs twice', async () => {
		const warnings = recordWarnings();
		sandbox.setBehaviour(provider, { deleteOffered: false });
		await host.publish();
		expect(warnings).toEqual([expect.stringContaining(`Remove endpoint ${before} `)]);
		const statuses: Array<[boolean, number]> = [];
		for (const { id, secret = '' } of sandbox.endpoints(provider)) {
			const delivery = buildDelivery({ provider, event: misarReach.events[0], secret });
			statuses.push([id === before, (await host.deliver(delivery)).status]);
		}
		expect(statuses.sort()).toEqual([
			[false, 200],
			[true, 401],
		]);
	});
});

it('an update that a gateway answered with an empty 200 does not count as done', async () => {
	await publish(misarMail);
	switchOff(misarMail);
	sandbox.fault({ provider: 'misar.mail', method: 'PATCH', kind: 'empty' });
	await host.publish();
	expect(sandbox.endpoints('misar.mail')).toMatchObject([{ active: true, url: host.webhookUrl }]);
});
