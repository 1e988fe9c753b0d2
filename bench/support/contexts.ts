import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';

import express from 'express';
import type {
	ICredentialDataDecryptedObject,
	ICredentialType,
	IDataObject,
	INode,
	INodeParameters,
	INodeType,
	IWebhookFunctions,
	IWebhookResponseData,
	IWorkflowExecuteAdditionalData,
	Workflow,
} from 'n8n-workflow';

import type { Delivery } from './deliveries';
import type { HostModules } from './hostModules';

/** A trigger as a workflow holds it. */
export interface TriggerSetup {
	/** Different for each trigger: the package identifies a trigger by its workflow and node. */
	readonly workflowId: string;
	readonly node: INodeType;
	readonly typeName: string;
	readonly parameters: INodeParameters;
	readonly staticData: IDataObject;
	readonly credentialType: ICredentialType;
	readonly credential: ICredentialDataDecryptedObject;
}

/** An HTTP exchange as n8n's server holds it when a delivery has arrived, before the body is parsed. */
export interface Exchange {
	readonly request: express.Request;
	readonly response: express.Response;
}

/** Gives a trigger the contexts that n8n creates for a delivery, from n8n-core's own classes. */
export class BenchTrigger {
	constructor(
		private readonly host: HostModules,
		private readonly setup: TriggerSetup,
	) {}

	/**
	 * The context for one delivery. What the trigger asks of n8n (parameters, credential, node) is
	 * prepared, so that only the trigger's own work is measured.
	 */
	context(exchange: Exchange): IWebhookFunctions {
		const { credential, credentialType, parameters } = this.setup;
		const context = this.realContext(exchange);
		const node = context.getNode();
		const complete = {
			...Object.fromEntries(
				credentialType.properties.map(({ name, default: value }) => [name, value]),
			),
			...credential,
		};
		const answers: Partial<IWebhookFunctions> = {
			getNode: () => node,
			getNodeParameter: ((name: string, fallback?: unknown) =>
				parameters[name] ?? fallback) as IWebhookFunctions['getNodeParameter'],
			getCredentials: (async () => complete) as IWebhookFunctions['getCredentials'],
		};
		return Object.assign(context, answers);
	}

	async call(context: IWebhookFunctions): Promise<IWebhookResponseData> {
		const { webhook } = this.setup.node;
		if (webhook === undefined) throw new Error('the node has no webhook()');
		return await webhook.call(context);
	}

	private realContext({ request, response }: Exchange): IWebhookFunctions {
		const workflow = this.workflow();
		const node = workflow.getNode('Trigger');
		const [webhookDescription] = this.setup.node.description.webhooks ?? [];
		if (node === null || webhookDescription === undefined) throw new Error('no webhook trigger');
		const partial: Partial<IWorkflowExecuteAdditionalData> = {
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
		return new this.host.core.WebhookContext(
			workflow,
			node,
			additionalData,
			'webhook',
			webhookData,
			[],
			null,
		) as IWebhookFunctions;
	}

	private workflow(): Workflow {
		const { workflowId, node, typeName, parameters, staticData, credentialType } = this.setup;
		const described: INode = {
			id: 'node1',
			name: 'Trigger',
			type: typeName,
			typeVersion: Number(this.setup.node.description.version),
			position: [0, 0],
			parameters,
			webhookId: 'bench',
			credentials: { [credentialType.name]: { id: 'cred1', name: 'Bench' } },
		};
		return new this.host.workflow.Workflow({
			id: workflowId,
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
