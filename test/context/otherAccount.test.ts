import { beforeEach, describe, expect, it } from '@jest/globals';

import type { Sandbox } from '../../sandbox';
import { answerWith, mapEach, mapEntries, rewriteAnswers } from './answers';
import { Life } from './life';
import { recordWarnings } from './logs';
import { withApi, type TriggerUnderTest } from './providers';
import { useSandbox } from './useSandbox';

/** A credential of a different account from the one in which the endpoint is registered. */

let sandbox: Sandbox;
/** Another account, at another address. */
let other: Sandbox;
let warnings: string[];

useSandbox((started) => (sandbox = started));
useSandbox((started) => (other = started));
beforeEach(() => {
	warnings = recordWarnings();
	other.setBehaviour('misar.reach', { deleteOffered: true });
	other.setBehaviour('misar.post', { pingOnCreate: false });
});

async function published(trigger: TriggerUnderTest) {
	const life = new Life(sandbox, trigger);
	await life.publish();
	const [own] = life.endpoints;
	if (own === undefined) throw new Error('nothing was registered');
	return { life, own, former: life.host.credential };
}

function useOther({ host }: Life, { provider }: TriggerUnderTest): void {
	host.credential = { ...host.credential, baseUrl: other.url, apiKey: other.keys[provider] };
}

describe.each(withApi)('another account of %s', (_title, trigger) => {
	const { provider } = trigger;

	it.each(['check', 'publish', 'start'] as const)(
		'gets an endpoint at a %s; the old one is reported, and removed once its key is back',
		async (look) => {
			const { life, own, former } = await published(trigger);
			useOther(life, trigger);
			await life[look]();
			await life.check();
			expect(other.endpoints(provider)).toMatchObject([{ url: life.host.webhookUrl }]);
			expect(life.endpoints).toEqual([own]);
			expect(life.problems).toContainEqual(
				expect.objectContaining({ problem: 'endpointLeftBehind', endpointId: own.id }),
			);
			expect(warnings.filter((text) => text.includes('with a different account'))).toEqual([
				expect.stringContaining(own.id),
			]);

			const [second] = other.endpoints(provider);
			life.host.credential = former;
			await life.publish();
			expect(life.endpoints).toHaveLength(1);
			expect(life.endpoints[0]?.id).not.toBe(own.id);
			expect(await life.answerTo(life.endpoints[0]?.id)).toBe(200);
			expect(warnings.at(-1)).toContain(second?.id);
			await life.unpublish();
			expect(life.endpoints).toEqual([]);
		},
	);

	it('lacks the endpoint at an unpublish, which logs it and removes it once its key is back', async () => {
		const { life, own, former } = await published(trigger);
		useOther(life, trigger);
		await life.unpublish();
		expect(life.endpoints).toEqual([own]);
		expect(warnings).toEqual([expect.stringContaining(own.id)]);
		expect(JSON.stringify(life.host.remembered)).toContain(own.id);
		life.host.credential = former;
		await life.publish();
		expect(life.endpoints).toMatchObject([{ url: life.host.webhookUrl }]);
		expect(life.endpoints[0]?.id).not.toBe(own.id);
	});

	it('is recognised even if a new key leads to it at the same address', async () => {
		const { life, own } = await published(trigger);
		life.host.credential = { ...life.host.credential, apiKey: sandbox.replaceKey(provider) };
		// The new key cannot see the endpoint of the former one.
		rewriteAnswers(
			sandbox,
			trigger,
			(answer) =>
				mapEntries(answer, (list) => list.filter(({ id, _id }) => String(id ?? _id) !== own.id)),
			{ place: 'list' },
		);
		for (const method of ['GET', 'DELETE']) {
			sandbox.fault({
				provider,
				method,
				path: new RegExp(`/${own.id}$`),
				kind: 'status',
				status: 404,
				times: Number.POSITIVE_INFINITY,
			});
		}
		await life.check();
		expect(life.endpoints).toHaveLength(2);
		expect(life.problems).toContainEqual(
			expect.objectContaining({ problem: 'endpointLeftBehind', endpointId: own.id }),
		);
	});

	it('keeps its own endpoint with the same ID', async () => {
		const { life, own } = await published(trigger);
		useOther(life, trigger);
		const foreign = other.addEndpoint(provider, {
			url: 'https://other-app.example.com/hook',
			events: [trigger.events[0]],
		});
		const swap = mapEach((entry) =>
			String(entry['id'] ?? entry['_id']) === foreign.id
				? { ...entry, id: own.id, _id: own.id }
				: entry,
		);
		rewriteAnswers(other, trigger, swap);
		answerWith(other, trigger, { status: 404 }, { place: 'one' });
		const calls = () =>
			other.requests().filter(({ method, path }) => method !== 'GET' && path.includes(own.id));
		await life.check();
		await life.check();
		expect(other.endpoints(provider)).toHaveLength(2);
		expect(other.endpoints(provider)).toContainEqual(foreign);
		expect(calls()).toEqual([]);
		expect(warnings.filter((text) => text.includes('with a different account'))).toHaveLength(1);
		await life.unpublish();
		expect(other.endpoints(provider)).toEqual([foreign]);
	});

	it('keeps its own endpoint with the same ID at an unpublish', async () => {
		const { life, own } = await published(trigger);
		useOther(life, trigger);
		const swap = mapEach((entry) => ({ ...entry, id: own.id, _id: own.id }));
		const foreign = other.addEndpoint(provider, {
			url: 'https://other-app.example.com/hook',
			events: [trigger.events[0]],
		});
		rewriteAnswers(other, trigger, swap);
		await life.unpublish();
		expect(other.endpoints(provider)).toEqual([foreign]);
		expect(other.requests().filter(({ method }) => method !== 'GET')).toEqual([]);
		expect(JSON.stringify(life.host.remembered)).toContain(own.id);
	});

	it('does not make the trigger forget an endpoint that was never listed', async () => {
		const life = new Life(sandbox, trigger);
		answerWith(sandbox, trigger, { status: 404 }, { place: 'one' });
		rewriteAnswers(sandbox, trigger, (answer) => mapEntries(answer, () => []), { place: 'list' });
		await life.publish();
		const [own] = life.endpoints;
		useOther(life, trigger);
		await life.check();
		expect(other.endpoints(provider)).toHaveLength(1);
		expect(warnings.at(0)).toContain(own?.id);
	});
});
