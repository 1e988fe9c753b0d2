import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

import express from 'express';
import type {
	ICredentialDataDecryptedObject,
	ICredentialsHelper,
	ICredentialType,
	IDataObject,
	INode,
	INodeParameters,
	INodeType,
	INodeTypes,
	IWebhookFunctions,
	IWebhookResponseData,
	IWorkflowExecuteAdditionalData,
	Workflow,
} from 'n8n-workflow';

import type { Delivery } from './deliveries';
import type { HostModules } from './hostModules';

/** A trigger as a workflow holds it. */
export interface TriggerSetup {
	readonly node: INodeType;
	readonly typeName: string;
	readonly parameters: INodeParameters;
	readonly staticData?: IDataObject;
	readonly credential?: {
		readonly type: ICredentialType;
		readonly data: ICredentialDataDecryptedObject;
	};
}

/** An HTTP exchange as n8n's server holds it when a delivery has arrived, before the body is parsed. */
export interface Exchange {
	readonly request: express.Request;
	readonly response: express.Response;
}

/** Gives a trigger the contexts that n8n gives it for a delivery, made of n8n-core's own classes. */
export class BenchTrigger {
	private readonly credentials: ICredentialsHelper | undefined;

	constructor(
		private readonly host: HostModules,
		private readonly setup: TriggerSetup,
	) {
		this.credentials = setup.credential && credentialsHelper(host, setup.credential);
	}

	/** What n8n makes for each delivery: the workflow, and the context of its trigger node. */
	context({ request, response }: Exchange): IWebhookFunctions {
		const { core } = this.host;
		const workflow = this.workflow();
		const node = workflow.getNode('Trigger');
		const [webhookDescription] = this.setup.node.description.webhooks ?? [];
		if (node === null || webhookDescription === undefined) throw new Error('no webhook trigger');
		const partial: Partial<IWorkflowExecuteAdditionalData> = {
			...(this.credentials && { credentialsHelper: this.credentials }),
			webhookBaseUrl: 'https://n8n.example.com/webhook',
			webhookTestBaseUrl: 'https://n8n.example.com/webhook-test',
			instanceBaseUrl: 'https://n8n.example.com',
			currentNodeExecutionIndex: 0,
			variables: {},
			httpRequest: request,
			httpResponse: response,
		};
		const additionalData = partial as IWorkflowExecuteAdditionalData;
		const webhookData = {
			httpMethod: 'POST' as const,
			node: node.name,
			path: 'bench',
			webhookDescription,
			workflowId: workflow.id,
			workflowExecuteAdditionalData: additionalData,
		};
		// n8n-core declares the name of a workflow optional, n8n-workflow does not.
		return new core.WebhookContext(
			workflow,
			node,
			additionalData,
			'webhook',
			webhookData,
			[],
			null,
		) as IWebhookFunctions;
	}

	/**
	 * The same context with what the trigger asks of n8n answered beforehand (parameters, credential,
	 * node), so that only the trigger's own work is left.
	 */
	async answeredContext(exchange: Exchange): Promise<IWebhookFunctions> {
		const context = this.context(exchange);
		const { credential, parameters } = this.setup;
		const node = context.getNode();
		const decrypted = credential && (await context.getCredentials(credential.type.name));
		const answers: Partial<IWebhookFunctions> = {
			getNode: () => node,
			getNodeParameter: ((name: string, fallback?: unknown) =>
				parameters[name] ?? fallback) as IWebhookFunctions['getNodeParameter'],
			getCredentials: (async () => decrypted) as IWebhookFunctions['getCredentials'],
		};
		return Object.assign(context, answers);
	}

	async call(context: IWebhookFunctions): Promise<IWebhookResponseData> {
		const { webhook } = this.setup.node;
		if (webhook === undefined) throw new Error('the node has no webhook()');
		return await webhook.call(context);
	}

	private workflow(): Workflow {
		const { node, typeName, parameters, staticData = {}, credential } = this.setup;
		const described: INode = {
			id: 'node1',
			name: 'Trigger',
			type: typeName,
			typeVersion: 1,
			position: [0, 0],
			parameters,
			webhookId: 'bench',
			...(credential && {
				credentials: { [credential.type.name]: { id: 'cred1', name: 'Bench' } },
			}),
		};
		return new this.host.workflow.Workflow({
			id: 'wf1',
			name: 'Bench',
			active: true,
			connections: {},
			nodes: [described],
			nodeTypes: {
				getByName: () => node,
				getByNameAndVersion: () => node,
				getKnownTypes: () => ({}),
			},
			staticData: { 'node:Trigger': staticData },
		});
	}
}

/** A request whose body has been read but not parsed, and an answer that nobody waits for. */
export function makeExchange({ headers, body }: Delivery): Exchange {
	const incoming = new IncomingMessage(new Socket());
	incoming.method = 'POST';
	incoming.headers = headers;
	const request: express.Request = Object.setPrototypeOf(incoming, express.request);
	request.rawBody = body;
	request.readRawBody = async () => {};
	// As n8n's `parseIncomingMessage` sets them.
	request.contentType = 'application/json';
	request.encoding = 'utf-8';
	request.params = {};
	Object.defineProperty(request, 'query', { value: {} });
	const outgoing = new ServerResponse(incoming);
	const response: express.Response = Object.setPrototypeOf(outgoing, express.response);
	return { request, response };
}

/** What n8n does with a JSON body before it calls any trigger (its middleware `parseBody`). */
export function parseAsN8nDoes(request: express.Request): void {
	const text = request.rawBody.toString('utf-8');
	request.body = JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
}

/**
 * What n8n does for `getCredentials`, without its database and without the V8 isolate that its
 * expression engine `vm` takes for it: decrypts, fills in defaults, and resolves expressions.
 */
function credentialsHelper(
	{ Cipher, workflow: { ICredentialsHelper, NodeHelpers, Workflow } }: HostModules,
	{ type, data }: NonNullable<TriggerSetup['credential']>,
): ICredentialsHelper {
	const cipher = new Cipher();
	const stored = cipher.encrypt(JSON.stringify(data), INSTANCE_KEY);
	const notUsed = (): never => {
		throw new Error('not used by webhook()');
	};
	return Object.assign(Object.create(ICredentialsHelper.prototype) as ICredentialsHelper, {
		isCredentialUsableByNode: () => true,
		getParentTypes: () => [],
		getCredentialsProperties: () => type.properties,
		async getDecrypted(): Promise<ICredentialDataDecryptedObject> {
			const decrypted: INodeParameters = JSON.parse(cipher.decrypt(stored, INSTANCE_KEY));
			const complete = NodeHelpers.getNodeParameters(
				type.properties,
				decrypted,
				true,
				false,
				null,
				null,
			);
			const { expression } = new Workflow({
				nodes: [CREDENTIAL_NODE],
				connections: {},
				active: false,
				nodeTypes: CREDENTIAL_NODE_TYPES,
			});
			const resolved = expression.getComplexParameterValue(
				CREDENTIAL_NODE,
				complete ?? {},
				'webhook',
				{},
			);
			return resolved as ICredentialDataDecryptedObject;
		},
		authenticate: notUsed,
		preAuthentication: notUsed,
		runPreAuthentication: notUsed,
		getCredentials: notUsed,
		updateCredentials: notUsed,
		updateCredentialsOauthTokenData: notUsed,
	});
}

const INSTANCE_KEY = 'bench';
const CREDENTIAL_NODE: INode = {
	id: 'mock',
	name: 'mock',
	type: 'mock',
	typeVersion: 1,
	position: [0, 0],
	parameters: {},
};
const CREDENTIAL_NODE_TYPE: INodeType = {
	description: {
		displayName: 'Mock',
		name: 'mock',
		group: [],
		version: 1,
		description: '',
		defaults: {},
		inputs: [],
		outputs: [],
		properties: [],
	},
};
const CREDENTIAL_NODE_TYPES: INodeTypes = {
	getByName: () => CREDENTIAL_NODE_TYPE,
	getByNameAndVersion: () => CREDENTIAL_NODE_TYPE,
	getKnownTypes: () => ({}),
};
