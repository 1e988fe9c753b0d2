import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { ExecuteContext, RoutingNode } from 'n8n-core';
import {
	createEmptyRunExecutionData,
	NodeConnectionTypes,
	Workflow,
	type ICredentialDataDecryptedObject,
	type INode,
	type INodeType,
	type INodeTypes,
	type IWorkflowExecuteAdditionalData,
} from 'n8n-workflow';

import { startSandbox, type Sandbox } from '../../sandbox';
import { DecryptedCredentials } from '../../testkit/contextHost';
import { mailPanda, metigan, misarBlog, misarMail, type TriggerUnderTest } from './providers';

/**
 * The test of a credential through n8n-core's real RoutingNode, as n8n's command package runs it: a
 * node that is nothing but the request, then the rules for the status of the answer.
 */

const KEY = 'key_of_the_user_0123456789';
const credentials = [misarMail, misarBlog, mailPanda, metigan];

let sandbox: Sandbox;
let elsewhere: Server;
let redirecting: Server;
let redirectStatus = 302;
let received: IncomingMessage[] = [];
let redirected = 0;

beforeAll(async () => {
	sandbox = await startSandbox();
	elsewhere = createServer((request, response) => {
		received.push(request);
		response.setHeader('content-type', 'application/json');
		response.end('{}');
	});
	await listen(elsewhere);
	redirecting = createServer((_request, response) => {
		redirected += 1;
		response.writeHead(redirectStatus, { location: `${originOf(elsewhere)}/taken` }).end();
	});
	await listen(redirecting);
});
beforeEach(() => {
	received = [];
	redirected = 0;
});
afterAll(async () => {
	await sandbox.close();
	for (const server of [elsewhere, redirecting]) {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	}
});

async function listen(server: Server): Promise<void> {
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
}

const originOf = (server: Server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** @returns `OK`, or what n8n shows */
async function testCredential(
	{ credentialType }: TriggerUnderTest,
	fields: ICredentialDataDecryptedObject,
): Promise<string> {
	const { name, test, properties } = credentialType;
	const defaults = properties.map((property) => [property.name, property.default]);
	const data = { ...Object.fromEntries(defaults), ...fields };
	const nodeType: INodeType = {
		description: {
			displayName: 'Credential test',
			name: 'credentialTest',
			group: ['input'],
			version: 1,
			description: 'Credential test',
			defaults: { name: 'Credential test' },
			inputs: [NodeConnectionTypes.Main],
			outputs: [NodeConnectionTypes.Main],
			credentials: [{ name, required: true }],
			properties: [
				{
					displayName: 'Temp',
					name: 'temp',
					type: 'string',
					default: '',
					...(test === undefined ? {} : { routing: { request: test.request } }),
				},
			],
		},
	};
	const nodeTypes: INodeTypes = {
		getByName: () => nodeType,
		getByNameAndVersion: () => nodeType,
		getKnownTypes: () => ({}),
	};
	const node: INode = {
		id: 'temp',
		name: 'Temp-Node',
		type: 'credentialTest',
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
		credentials: { [name]: { id: 'cred1', name: 'Test credential' } },
	};
	const workflow = new Workflow({ nodes: [node], connections: {}, active: false, nodeTypes });
	const additional: Partial<IWorkflowExecuteAdditionalData> = {
		credentialsHelper: new DecryptedCredentials(
			credentialType,
			() => data,
			() => {},
		),
		currentNodeParameters: {},
		currentNodeExecutionIndex: 0,
		variables: {},
	};
	const context = new ExecuteContext(
		workflow,
		node,
		additional as IWorkflowExecuteAdditionalData,
		'internal',
		createEmptyRunExecutionData(),
		0,
		[],
		{ main: [[{ json: {} }]] },
		{ node, data: {}, source: null },
		[],
	);
	try {
		await new RoutingNode(context, nodeType, {
			id: 'cred1',
			name: 'Test credential',
			type: name,
			data,
		}).runNode();
		return 'OK';
	} catch (error) {
		const { cause } = error as { cause?: { response?: { status: number } } };
		const rule = (test?.rules ?? []).find(
			({ type, properties: { value } }) =>
				type === 'responseCode' && value === cause?.response?.status,
		);
		return rule?.properties.message ?? String(error);
	}
}

describe.each(credentials)('the credential of $title', (trigger) => {
	it('is accepted where the API is, and refused with words where the key is wrong', async () => {
		const { provider } = trigger;
		const baseUrl = `${sandbox.url}/`;
		expect(await testCredential(trigger, { baseUrl, apiKey: sandbox.keys[provider] })).toBe('OK');
		expect(await testCredential(trigger, { baseUrl, apiKey: KEY })).toMatch(/did not accept/);
	});

	it.each([301, 302, 303, 307, 308])(
		'does not hand the key to the host that a %i names, and says what to do',
		async (status) => {
			redirectStatus = status;
			const baseUrl = originOf(redirecting);
			expect(await testCredential(trigger, { baseUrl, apiKey: KEY })).toBe(
				'The Base URL redirects to another address, where the key is not sent. Enter the final address.',
			);
			expect(redirected).toBe(1);
			expect(received).toEqual([]);
		},
	);
});

it('the session of Mail Panda is not handed over either', async () => {
	redirectStatus = 307;
	const fields = { authentication: 'session', sessionToken: KEY, ...sandbox.login };
	const baseUrl = originOf(redirecting);
	expect(await testCredential(mailPanda, { baseUrl, ...fields })).toMatch(/redirects/);
	expect(received).toEqual([]);
});
