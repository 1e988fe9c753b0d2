import { beforeEach, expect, it } from '@jest/globals';

import { operationsOf } from '../../nodes/shared/action/operations';
import { buildDelivery, type Sandbox } from '../../sandbox';
import { allProviders } from '../unit/allProviders';
import { eventParameters } from '../../testkit/triggers';
import { allCases, runForData, webhookItem, type ActionCall, type ActionCase } from './actionHost';
import { registeredByHand } from './hosts';
import { outputSchema } from './outputSchema';
import { triggersUnderTest } from './providers';
import { useSandbox } from './useSandbox';

/**
 * The fields that n8n's editor shows before the first run, and that its Assistant builds on, are those of
 * the items that the nodes output at the sandbox.
 */

const SECRET = 'whsec_of_the_output_schemas';
const URL_OF = 'https://app.example.com/hooks';
const credential = { signingSecret: SECRET };

let sandbox: Sandbox;
const open = useSandbox((started) => (sandbox = started), { retryTimeScale: 0 });
beforeEach(() => {
	// It pings a new endpoint, but nothing listens here.
	sandbox.setBehaviour('misar.post', { pingOnCreate: false });
	sandbox.setBehaviour('misar.reach', { deleteOffered: true });
});

const chosen = (value: string) => ({ __rl: true, mode: 'id', value });

/** Calls an operation in each way that makes its items differ, and sets up what it works on. */
type Calls = (action: ActionCase, run: (call: ActionCall) => Promise<void>) => Promise<void>;

const newEndpoint: Calls = async ({ events }, run) => {
	const parameters = { url: URL_OF, events: [...events] };
	await run({ parameters });
	const options = { includeSecret: true };
	await run({ parameters: { ...parameters, url: `${URL_OF}/2`, options }, credential });
};

const onEndpoint: Calls = async ({ provider, events }, run) => {
	const { id } = sandbox.addEndpoint(provider, { url: URL_OF, events: [...events] });
	await run({ parameters: { endpoint: chosen(id), returnAll: true } });
};

const withDelivery: Calls = async ({ provider, events: [event] }, run) => {
	const { headers, body } = buildDelivery({ provider, event, secret: SECRET });
	await run({ parameters: {}, items: [webhookItem(headers, body)], credential });
};

/** How to call each operation that has a schema, by resource and name. */
const CALLS: Readonly<Record<string, Calls>> = {
	'endpoint/diagnose': async ({ provider, events }, run) => {
		sandbox.addEndpoint(provider, { url: URL_OF, events: [...events] });
		await run({ parameters: { by: 'url', url: URL_OF, sendTest: false } });
		await run({ parameters: { by: 'workflow', workflow: chosen('none') } });
	},
	'event/getSample': async (_action, run) => await run({ parameters: { events: ['*'] } }),
	'article/get': async ({ provider, events: [event] }, run) => {
		await sandbox.fire({ provider, event, data: { article: { id: 'art-1' } } });
		await run({ parameters: { article: chosen('art-1') } });
	},
	'article/getAll': async ({ provider, events: [event] }, run) => {
		await sandbox.fire({ provider, event, data: { article: { id: 'art-1' } } });
		for (const articleList of ['data', 'articles'] as const) {
			sandbox.setBehaviour(provider, { articleList });
			await run({ parameters: { returnAll: true } });
		}
	},
	'delivery/receive': withDelivery,
	'endpoint/create': newEndpoint,
	'endpoint/createOrUpdate': newEndpoint,
	'endpoint/delete': async (action, run) => {
		await onEndpoint(action, run);
		await run({ parameters: { endpoint: chosen('77') } });
	},
	'endpoint/get': onEndpoint,
	'endpoint/getAll': onEndpoint,
	'endpoint/test': onEndpoint,
	'endpoint/update': async ({ provider, events }, run) => {
		const { id } = sandbox.addEndpoint(provider, { url: URL_OF, events: [...events] });
		const all = { url: `${URL_OF}/moved`, events: [events[0]], active: false };
		for (const updateFields of [all, { active: true }]) {
			await run({ parameters: { endpoint: chosen(id), updateFields } });
		}
	},
	'event/record': async (_action, run) => {
		const parameters = { eventType: 'email.bounced', emailId: 'msg_1' };
		const additionalFields = { recipient: 'ada@example.com', timestamp: '2026-01-02T03:04:05Z' };
		await run({ parameters });
		await run({ parameters: { ...parameters, additionalFields } });
	},
	'signature/sign': async (_action, run) =>
		await run({ parameters: { payloadSource: 'text', payload: '{}' }, credential }),
	'signature/verify': withDelivery,
	'suppression/add': async (_action, run) => {
		await run({ parameters: { emails: 'ada@example.com, no address' } });
		await run({ parameters: { emails: 'ada@example.com' } });
	},
	'suppression/get': async ({ provider }, run) => {
		await sandbox.fire({
			provider,
			event: 'email.complained',
			data: { recipient: 'ada@example.com' },
		});
		await run({ parameters: { email: 'ada@example.com' } });
		await run({ parameters: { email: 'bob@example.com' } });
	},
	'suppression/remove': async ({ provider }, run) => {
		await sandbox.fire({
			provider,
			event: 'email.bounced',
			data: { recipient: 'ada@example.com' },
		});
		await run({ parameters: { email: 'ada@example.com' } });
	},
	'suppression/getAll': async ({ provider }, run) => {
		for (const event of ['email.bounced', 'email.unsubscribed']) {
			await sandbox.fire({ provider, event, data: { recipient: `${event}@example.com` } });
		}
		await run({ parameters: { returnAll: true } });
	},
};

const rows = allProviders.flatMap((provider) => {
	const action = allCases.find(({ title }) => title === provider.displayName);
	if (action === undefined) throw new Error(`testkit/triggers.ts has no ${provider.displayName}`);
	return operationsOf(provider).map(({ resource, value, output }) => ({
		action,
		title: action.title,
		name: `${resource.value}/${value}`,
		hasSchema: output([provider]) !== undefined,
	}));
});
const named = rows.filter(({ hasSchema }) => hasSchema);
/** Fields that items had, by node and operation. */
const seen = new Map<string, Set<string>>();

function schemaOf({ action, name }: (typeof rows)[number]) {
	const { name: node, version } = action.node.description;
	return { key: `${node} ${name}`, schema: outputSchema(action.nodeFile, Number(version), name) };
}

it.each(named)('$title: $name outputs the fields of its schema', async (row) => {
	const { action, name } = row;
	const { key, schema } = schemaOf(row);
	const calls = CALLS[name];
	if (schema === undefined) throw new Error(`the build wrote no schema of ${key}`);
	if (calls === undefined) {
		throw new Error(`${name} has no row in CALLS of this test: say there how to call it`);
	}
	const fields = seen.get(key) ?? new Set();
	seen.set(key, fields);
	const [resource = '', operation = ''] = name.split('/');
	await calls(action, async ({ parameters, ...call }) => {
		const items = await runForData(sandbox, action, {
			...call,
			parameters: { resource, operation, ...parameters },
		});
		expect(items).not.toEqual([]);
		expect(schema.deviations(items)).toEqual([]);
		for (const field of items.flatMap((item) => Object.keys(item))) fields.add(field);
	});
});

it('a schema names no field that never occurs', () => {
	expect(seen.size).toBe(new Set(named.map((row) => schemaOf(row).key)).size);
	for (const row of named) {
		const { key, schema } = schemaOf(row);
		const unseen = schema?.fields.filter((field) => seen.get(key)?.has(field) !== true);
		expect([key, unseen]).toEqual([key, []]);
	}
});

it('an operation has no schema if no document names the fields', () => {
	const without = rows.filter(({ hasSchema }) => !hasSchema);
	expect(without.map(({ title, name }) => [title, name])).toEqual([
		['Misar Mail', 'delivery/getAll'],
	]);
	for (const row of without) expect(schemaOf(row).schema).toBeUndefined();
});

it.each(triggersUnderTest)('$title Trigger outputs the fields of its schema', async (trigger) => {
	const { provider, scheme, events } = trigger;
	const host = open({
		...registeredByHand(trigger, SECRET, eventParameters(trigger)),
		workflowId: `output of ${trigger.title}`,
	});
	const { run } = await host.deliver(
		buildDelivery({ provider, scheme, event: events[0], secret: SECRET }),
	);
	const version = Number(trigger.nodeType.description.version);
	const schema = outputSchema(trigger.nodeFile, version, 'output');
	expect(run).toHaveLength(1);
	expect(schema?.deviations((run ?? []).map(({ json }) => json))).toEqual([]);
});
