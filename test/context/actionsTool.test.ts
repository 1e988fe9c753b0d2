import { beforeEach, describe, expect, it } from '@jest/globals';
import { convertToOpenAITool } from '@langchain/core/utils/function_calling';
import type { IDataObject, INodeParameters } from 'n8n-workflow';

import { buildDelivery, type Sandbox } from '../../sandbox';
import {
	asTool,
	metigan,
	misarBlog,
	nodesUnderTest,
	runAction,
	runAsTool,
	type ActionNodeCase,
} from './actionHost';
import { useSandbox } from './useSandbox';

/** Each action node as the tool that n8n-core makes of it for an AI agent. */

const URL_OF = 'https://app.example.com/hooks';
const SECRET = 'whsec_of_the_tool_suite';

/** As the editor writes it when a parameter is left to the model. */
const fromAI = (key: string, type: 'boolean' | 'json' | 'number' | 'string', description = '') =>
	`={{ /*n8n-auto-generated-fromAI-override*/ $fromAI('${key}', \`${description}\`, '${type}') }}`;

const getMany: INodeParameters = {
	resource: 'endpoint',
	operation: 'getAll',
	returnAll: fromAI('Return_All', 'boolean'),
	limit: fromAI('Limit', 'number', 'How many endpoints at most'),
};
const create: INodeParameters = {
	resource: 'endpoint',
	operation: 'create',
	url: fromAI('Webhook_URL', 'string'),
	// The editor has text made for a multi-select.
	events: fromAI('Events', 'string', 'Names of events, separated by commas'),
	options: { customEvents: fromAI('Custom_Events', 'string') },
};

/** The tool as a model gets it: a function all of whose properties have to be filled. */
function functionWith(description: string, properties: Readonly<Record<string, object>>) {
	const expected = Object.entries(properties).map(
		([key, value]) => [key, expect.objectContaining(value)] as const,
	);
	return {
		type: 'function',
		function: {
			name: 'Webhook_tool',
			description,
			parameters: expect.objectContaining({
				type: 'object',
				properties: Object.fromEntries(expected),
				required: expect.arrayContaining(Object.keys(properties)),
			}),
		},
	};
}

let sandbox: Sandbox;
useSandbox((started) => (sandbox = started));

describe.each(nodesUnderTest)('$title', (action) => {
	const { provider, events, node } = action;

	it('has a schema that models accept', async () => {
		const properties = {
			getMany: {
				Limit: { type: 'number', description: 'How many endpoints at most' },
				Return_All: { type: 'boolean' },
			},
			create: {
				Custom_Events: { type: 'string' },
				Events: { type: 'string', description: 'Names of events, separated by commas' },
				Webhook_URL: { type: 'string' },
			},
		};
		const { name } = node.description.defaults;
		for (const [parameters, expected, description] of [
			[getMany, properties.getMany, `Get many webhook endpoints in ${name}`],
			[create, properties.create, `Create webhook endpoint in ${name}`],
		] as const) {
			const made = await runAsTool(sandbox, action, parameters, async (tool) =>
				convertToOpenAITool(tool),
			);
			expect(made).toEqual(functionWith(description, expected));
		}
		expect(sandbox.requests()).toEqual([]);
	});

	it('describes itself and each operation', () => {
		const { description, properties } = node.description;
		expect(description).toMatch(/^Manage webhook endpoints/);
		const operations = properties.filter(({ name }) => name === 'operation');
		for (const option of operations.flatMap(({ options = [] }) => options)) {
			expect(option).toMatchObject({ action: expect.any(String), description: expect.any(String) });
		}
	});

	it('creates and lists an endpoint from a model’s arguments', async () => {
		for (const names of [events.join(', '), JSON.stringify(events)]) {
			const answer = await runAsTool(sandbox, action, create, async (tool) =>
				JSON.parse(
					String(await tool.invoke({ Webhook_URL: URL_OF, Events: names, Custom_Events: '' })),
				),
			);
			expect(answer).toMatchObject([{ url: URL_OF, events, active: true }]);
			expect(JSON.stringify(answer)).not.toMatch(/whsec_/);
		}
		const made = sandbox.endpoints(provider);
		expect(made).toMatchObject([{ events }, { events }]);

		const list = async (args: { Return_All: boolean; Limit: number }) =>
			await runAsTool(sandbox, action, getMany, async (tool) =>
				JSON.parse(String(await tool.invoke(args))),
			);
		expect(await list({ Return_All: false, Limit: 1 })).toMatchObject([{ id: made[0]?.id }]);
		expect(await list({ Return_All: true, Limit: 1 })).toHaveLength(2);
	});

	it('reports to the model what went wrong and what to do', async () => {
		const ask = async (args: IDataObject) =>
			await runAsTool(sandbox, action, create, async (tool) =>
				JSON.parse(String(await tool.invoke({ Custom_Events: '', ...args }))),
			);
		expect(await ask({ Webhook_URL: 'http://10.0.0.1/', Events: '*' })).toEqual([
			{
				error: expect.stringMatching(/did not accept/),
				details: expect.stringMatching(/answered: .*url: .*Correct what the answer names/),
				httpCode: expect.stringMatching(/^4\d\d$/),
			},
		]);
		const called = sandbox.requests().length;
		expect(await ask({ Webhook_URL: URL_OF, Events: `${events[0]}x` })).toEqual([
			{ error: expect.stringContaining(`Did you mean ${events[0]}?`) },
		]);
		expect(sandbox.requests()).toHaveLength(called);
	});

	it('refuses arguments that do not match the schema', async () => {
		const call = runAsTool(
			sandbox,
			action,
			getMany,
			async (tool) => await tool.invoke({ Return_All: 'many' }),
		);
		await expect(call).rejects.toThrow(/schema/);
		expect(sandbox.requests()).toEqual([]);
	});

	it('gives the model the verdict on a payload, a bad one included', async () => {
		const verify: INodeParameters = {
			resource: 'signature',
			operation: 'verify',
			payloadSource: 'text',
			payload: fromAI('Payload', 'string'),
			headers: fromAI('Headers', 'json'),
		};
		const credential = { signingSecret: SECRET };
		const { headers, body } = buildDelivery({ provider, event: events[0], secret: SECRET });
		const ask = async (payload: string) =>
			await runAsTool(
				sandbox,
				action,
				verify,
				async (tool) =>
					JSON.parse(String(await tool.invoke({ Payload: payload, Headers: headers }))),
				credential,
			);
		expect(await ask(body.toString())).toMatchObject([{ verification: { valid: true } }]);
		expect(await ask(`${body.toString()} `)).toMatchObject([
			{ verification: { valid: false, reason: expect.any(String) } },
		]);

		// A tool that an agent executes has no second output either.
		const { outputs } = await runAction(
			sandbox,
			{ ...action, node: asTool(node) },
			{
				parameters: verify,
				credential,
				items: [{ json: { Payload: 'another', Headers: headers } }],
			},
		);
		expect(outputs).toMatchObject([[{ json: { verification: { valid: false } } }]]);
	});
});

interface ListTool {
	readonly title: string;
	readonly action: ActionNodeCase;
	readonly parameters: INodeParameters;
	/** What a model is told of it. */
	readonly description: string;
	readonly properties: Readonly<Record<string, string>>;
	/** What a model gives. */
	readonly args: IDataObject;
	readonly answer: readonly IDataObject[];
	/** Of another type than the schema says. */
	readonly wrong: IDataObject;
	/** What is said after arguments that the node cannot use. */
	readonly unusable: { readonly args: IDataObject; readonly message: RegExp };
}

const listed = {
	operation: 'getAll',
	returnAll: fromAI('Return_All', 'boolean'),
	limit: fromAI('Limit', 'number'),
};
const all = { Return_All: true, Limit: 1 };

const listTools: readonly ListTool[] = [
	{
		title: 'Get Many of suppressions',
		action: metigan,
		parameters: {
			...listed,
			resource: 'suppression',
			filters: { from: fromAI('From', 'string'), reason: fromAI('Reason', 'string') },
		},
		description: 'Get many suppressions in Metigan',
		properties: { Return_All: 'boolean', Limit: 'number', From: 'string', Reason: 'string' },
		args: { ...all, From: '2026-01-02', Reason: 'hard_bounce' },
		answer: [{ email: 'new@example.com', reason: 'hard_bounce' }],
		wrong: { ...all, Return_All: 'many', From: '', Reason: '' },
		unusable: {
			args: { ...all, From: 'last week', Reason: '' },
			message: /"last week" is not a time\. Enter an ISO 8601 time/,
		},
	},
	{
		title: 'Get Many of articles',
		action: misarBlog,
		parameters: {
			...listed,
			resource: 'article',
			filters: { since: fromAI('Published_Since', 'string') },
		},
		description: 'Get many articles in Misar.Blog',
		properties: { Return_All: 'boolean', Limit: 'number', Published_Since: 'string' },
		args: { ...all, Published_Since: '2026-01-02' },
		answer: [{ id: 'new', title: 'The new one' }],
		wrong: { ...all, Limit: 'a few', Published_Since: '' },
		unusable: {
			args: { ...all, Return_All: false, Limit: 0, Published_Since: '' },
			message: /The parameter "limit" cannot be used/,
		},
	},
	{
		title: 'Get of an article',
		action: misarBlog,
		parameters: {
			resource: 'article',
			operation: 'get',
			article: { __rl: true, mode: 'id', value: fromAI('Article', 'string', 'ID or slug') },
		},
		description: 'Get article in Misar.Blog',
		properties: { Article: 'string' },
		args: { Article: 'old' },
		answer: [{ id: 'old', title: 'The old one', content_markdown: 'At length.' }],
		wrong: { Article: 7 },
		unusable: {
			args: { Article: 'nobody' },
			message: /There is no published article "nobody"\. Check the ID or the slug/,
		},
	},
];

describe.each(listTools)('$title as a tool', (one) => {
	const { action, parameters, description, properties, args, answer, wrong, unusable } = one;
	const ask = async (given: IDataObject, credential = {}) =>
		await runAsTool(
			sandbox,
			action,
			parameters,
			async (tool) => JSON.parse(String(await tool.invoke(given))),
			credential,
		);

	/** An entry before 2026-01-02 and one after. */
	beforeEach(async () => {
		for (const [id, day] of [
			['old', '2026-01-01'],
			['new', '2026-01-03'],
		] as const) {
			const timestampMs = Date.parse(day);
			const article = {
				...{ id, slug: id, title: `The ${id} one`, published_at: `${day}T00:00:00.000Z` },
				content_html: '<p>At length.</p>',
				content_markdown: 'At length.',
			};
			const published = { provider: 'misarBlog', event: 'article.published' } as const;
			await sandbox.fire({ ...published, timestampMs, data: { article } });
			const bounced = { provider: 'metigan', event: 'email.bounced' } as const;
			await sandbox.fire({ ...bounced, timestampMs, data: { recipient: `${id}@example.com` } });
		}
	});

	it('has a schema that models accept', async () => {
		const made = await runAsTool(sandbox, action, parameters, async (tool) =>
			convertToOpenAITool(tool),
		);
		const typed = Object.entries(properties).map(([key, type]) => [key, { type }] as const);
		expect(made).toEqual(functionWith(description, Object.fromEntries(typed)));
		expect(sandbox.requests()).toEqual([]);
	});

	it('works with a model’s arguments', async () => {
		expect(await ask(args)).toMatchObject(answer);
	});

	it('tells the model what went wrong and what to do', async () => {
		expect(await ask(unusable.args)).toEqual([{ error: expect.stringMatching(unusable.message) }]);
		sandbox.fault({ provider: action.provider, kind: 'scopeRefusal' });
		expect(await ask(args)).toEqual([
			{
				error: expect.stringMatching(/may not read the /),
				details: expect.stringMatching(/Use a key with permission to read/),
				httpCode: '403',
			},
		]);
	});

	it('tells the model no secret', async () => {
		const apiKey = sandbox.keys[action.provider];
		const body = { error: `Refused ${apiKey} and ${SECRET}` };
		sandbox.fault({ provider: action.provider, kind: 'status', status: 400, body });
		const refused = JSON.stringify(await ask(args, { signingSecret: SECRET }));
		expect(refused).toMatch(/answered: Refused/);
		expect(refused).not.toContain(apiKey);
		expect(refused).not.toContain(SECRET);
	});

	it('refuses arguments that do not match the schema', async () => {
		await expect(ask(wrong)).rejects.toThrow(/schema/);
		expect(sandbox.requests()).toEqual([]);
	});
});
