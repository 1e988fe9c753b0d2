import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { convertToOpenAITool } from '@langchain/core/utils/function_calling';
import type { INodeParameters } from 'n8n-workflow';

import { buildDelivery, startSandbox, type Sandbox } from '../../sandbox';
import { asTool, nodesUnderTest, runAction, runAsTool } from './actionHost';

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
	customEvents: fromAI('Custom_Events', 'string'),
};

let sandbox: Sandbox;
beforeAll(async () => {
	sandbox = await startSandbox();
});
afterEach(() => sandbox.reset());
afterAll(async () => {
	await sandbox.close();
});

describe.each(nodesUnderTest)('$title', (action) => {
	const { provider, events, node } = action;

	it('has a schema that a model can be given', async () => {
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
			[create, properties.create, `Create a webhook endpoint in ${name}`],
		] as const) {
			const made = await runAsTool(sandbox, action, parameters, async (tool) =>
				convertToOpenAITool(tool),
			);
			expect(made).toEqual({
				type: 'function',
				function: {
					name: 'Webhook_tool',
					description,
					parameters: expect.objectContaining({
						type: 'object',
						properties: Object.fromEntries(
							Object.entries(expected).map(([key, value]) => [key, expect.objectContaining(value)]),
						),
						required: expect.arrayContaining(Object.keys(expected)),
					}),
				},
			});
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

	it('creates an endpoint and lists it with what a model gives', async () => {
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
		const call = runAsTool(
			sandbox,
			action,
			create,
			async (tool) =>
				await tool.invoke({ Webhook_URL: 'http://10.0.0.1/', Events: '*', Custom_Events: '' }),
		);
		await expect(call).rejects.toThrow(/did not accept[^]*Change what the answer names/);
	});

	it('refuses what is not of the schema', async () => {
		const call = runAsTool(
			sandbox,
			action,
			getMany,
			async (tool) => await tool.invoke({ Return_All: 'many' }),
		);
		await expect(call).rejects.toThrow(/schema/);
		expect(sandbox.requests()).toEqual([]);
	});

	it('gives the model the verdict on a payload, the bad one as well', async () => {
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

		// The agent's own executions of a tool have no second output either.
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
