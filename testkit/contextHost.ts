import {
	createServer,
	IncomingMessage,
	request as httpRequest,
	ServerResponse,
	type Server,
} from 'node:http';
import { Socket, type AddressInfo } from 'node:net';

import express from 'express';
import {
	DataDeduplicationService,
	ExecuteContext,
	ExecutionLifecycleHooks,
	HookContext,
	TriggerContext,
	WebhookContext,
} from 'n8n-core';
import {
	createRunExecutionData,
	ICredentialsHelper,
	NodeHelpers,
	Workflow,
	type IAuthenticateGeneric,
	type ICredentialDataDecryptedObject,
	type ICredentials,
	type ICredentialType,
	type IDataObject,
	type IExecuteFunctions,
	type IHookFunctions,
	type IHttpRequestHelper,
	type IHttpRequestOptions,
	type INode,
	type INodeExecutionData,
	type INodeParameters,
	type INodeProperties,
	type INodeType,
	type INodeTypes,
	type IRun,
	type ITriggerFunctions,
	type ITriggerResponse,
	type IWebhookData,
	type IWebhookFunctions,
	type IWebhookResponseData,
	type IWorkflowExecuteAdditionalData,
	type WorkflowActivateMode,
	type WorkflowExecuteMode,
} from 'n8n-workflow';

import { listen, stop } from './loopback';
import { processedData } from './processedData';

/**
 * Runs a trigger node through n8n-core's real HookContext, WebhookContext, TriggerContext and
 * ExecuteContext, with deliveries arriving over real HTTP. What n8n's command package adds around them
 * (the body reader, the answers, the decrypted credential) is done here as n8n 2.39 does it.
 */

/** A trigger node: the parts that n8n calls. */
export interface TriggerNode extends INodeType {
	webhookMethods: {
		default: Record<
			'checkExists' | 'create' | 'delete',
			(this: IHookFunctions) => Promise<boolean>
		>;
	};
	webhook(this: IWebhookFunctions): Promise<IWebhookResponseData>;
	trigger(this: ITriggerFunctions): Promise<ITriggerResponse>;
	execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]>;
}

export interface ContextHostOptions {
	readonly node: TriggerNode;
	readonly credentialType: ICredentialType;
	readonly credential: ICredentialDataDecryptedObject;
	readonly credentialId?: string;
	readonly parameters: INodeParameters;
	/** Origin of the webhook URLs, as N8N_WEBHOOK_URL sets it. */
	readonly webhookOrigin?: string;
	readonly workflowId?: string;
	readonly nodeName?: string;
	/** It does not change when the node is renamed; by default it depends on the name. */
	readonly nodeId?: string;
	/** First part of the webhook's path; two nodes of one workflow have different ones, an imported one may have none. */
	readonly webhookId?: string | null;
	readonly mode?: WorkflowExecuteMode;
	/** Why n8n activates the workflow; default `activate`, as when a person publishes it. */
	readonly activation?: WorkflowActivateMode;
	/** Static data as the database would hold it. */
	readonly staticData?: IDataObject;
	/** Answers the hooks' requests to a provider instead of the network; a body is given parsed. */
	readonly transport?: (request: IHttpRequestOptions) => Promise<unknown>;
}

/** What came back for a delivery, and whether it started a run. */
export interface DeliveryResult {
	readonly status: number;
	readonly headers: Headers;
	readonly body: unknown;
	/** The items a run would start with; undefined when none starts. */
	readonly run: INodeExecutionData[] | undefined;
	/** `res.writableEnded` after the answer. */
	readonly ended: boolean;
}

/** A trigger that n8n has started. */
export interface StartedTrigger {
	/** What `trigger()` returned. */
	readonly response: ITriggerResponse;
	/** When `tick` is to be called: cron expressions with seconds. */
	readonly crons: readonly string[];
	/** Calls what was registered for each minute. As in n8n, its end is not awaited. */
	readonly tick: () => void;
	readonly close: () => Promise<void>;
}

const WEBHOOK_ID = '7a3c1f0e-5b1d-4a52-9a55-2f1d3c0b9e11';

/** What n8n answers in queue mode in place of a run that failed. */
const FAILED_RUN = { body: { message: 'Workflow execution failed' }, statusCode: 500 };

/** What the trigger nodes of one workflow have in common. */
interface SharedWorkflow {
	/** One host for each trigger node. */
	readonly members: ContextHost[];
	/** The static data column of the database. */
	saved: IDataObject;
	/** As n8n holds it in memory; undefined before it is first needed. */
	loaded?: Workflow | undefined;
}

/** Adds Express's methods to requests and answers that have not passed a server. */
const handing = express();

/** n8n-core accepts it once per process. */
let processing: Promise<void> | undefined;

export class ContextHost {
	credential: ICredentialDataDecryptedObject;
	/** Makes n8n fail to start runs, as with a full disk or a lost database. */
	failToStart = false;
	/** Called inside `webhook()` handling, before n8n answers a run. */
	beforeAnswer: () => Promise<void> = async () => {};
	/** Refuses runs that the trigger itself starts, as n8n does when it shuts down. */
	refuseRuns = false;
	/** Makes runs fail that the trigger itself starts. */
	failRuns = false;
	/**
	 * What is reported of runs that the trigger itself starts: in queue mode n8n can miss the end of one, and
	 * lose everything else while Redis is down.
	 */
	reported: 'all' | 'answers' | 'ends' | 'nothing' = 'all';
	/** Kills n8n during runs: their nodes have run, but their end is neither reported nor saved. */
	killRuns = false;
	/** Called before a run that the trigger itself starts. */
	beforeRun: () => Promise<void> = async () => {};
	/** Called at the end of a run, before n8n saves what it assigned. */
	beforeSave: () => Promise<void> = async () => {};
	/** The items with which the trigger itself started runs, and what its node output in each. */
	readonly emitted: Array<{
		items: INodeExecutionData[];
		outputs: INodeExecutionData[][];
		/** Whether a kill of n8n cut it short. */
		killed: boolean;
	}> = [];
	/** Called with each request before n8n gets it, for what no HTTP client can send. */
	alterRequest: (request: express.Request) => void = () => {};

	private runCount = 0;
	/** The outputs of runs that a kill cut short. */
	private readonly cutShort = new WeakSet<INodeExecutionData[][]>();
	private options: ContextHostOptions;
	private readonly shared: SharedWorkflow;
	private server: Server | undefined;
	private readonly started: Array<Promise<void>> = [];
	private readonly results: Array<Pick<DeliveryResult, 'run' | 'ended'>> = [];

	/** @param beside another trigger node of the same workflow, which answers for this one as well */
	constructor(options: ContextHostOptions, beside?: ContextHost) {
		this.options = options;
		this.credential = options.credential;
		const saved = structuredClone(options.staticData ?? {});
		this.shared = beside?.shared ?? { members: [], saved };
		this.shared.members.push(this);
		this.restart();
	}

	/** Starts over from what was saved, with other settings where given: a new process. */
	restart(changes: Partial<ContextHostOptions> = {}): void {
		this.options = { ...this.options, ...changes };
		this.shared.loaded = undefined;
	}

	/**
	 * Starts over as n8n does when it repeats an activation that failed at its start: with the static
	 * data as the failed attempt left it, which was never saved.
	 */
	repeat(): void {
		this.shared.loaded = this.loadWorkflow(JSON.parse(JSON.stringify(this.workflow.staticData)));
	}

	/** What the database would hold; `restart` keeps it. */
	get savedStaticData(): IDataObject {
		return this.shared.saved;
	}

	set savedStaticData(staticData: IDataObject) {
		this.shared.saved = staticData;
	}

	/** What the database would hold of this trigger. */
	get remembered(): IDataObject {
		const { global } = this.shared.saved as {
			global?: Record<string, Record<string, IDataObject>>;
		};
		return global?.['n8n-nodes-misar-metigan']?.[this.node.id] ?? {};
	}

	get webhookUrl(): string {
		return this.hookContext().getNodeWebhookUrl('default') ?? '';
	}

	/** The outputs that the node has in the editor and in runs. */
	get outputs(): ReturnType<typeof NodeHelpers.getNodeOutputs> {
		return NodeHelpers.getNodeOutputs(this.workflow, this.node, this.options.node.description);
	}

	async checkExists(): Promise<boolean> {
		return await this.hook('checkExists');
	}

	async create(): Promise<boolean> {
		return await this.hook('create');
	}

	async delete(): Promise<boolean> {
		return await this.hook('delete');
	}

	/** What n8n does when a workflow is published: check, create if necessary, then save. */
	async publish(): Promise<void> {
		const { workflow } = this;
		if (!(await this.hook('checkExists', workflow))) await this.hook('create', workflow);
		this.save(workflow);
		this.shared.loaded = workflow;
	}

	async unpublish(): Promise<void> {
		const { workflow } = this;
		await this.hook('delete', workflow);
		this.save(workflow);
		this.shared.loaded = workflow;
	}

	/**
	 * What n8n does beside `checkExists` when it activates a workflow: calls `trigger()`, which sees the
	 * static data as it is now in this activation.
	 * @returns calls what `trigger()` registered for each minute, and ends it
	 */
	async startTrigger(): Promise<StartedTrigger> {
		const { workflow } = this;
		const crons: Array<{ expression: string; onTick: (at: Date) => void }> = [];
		const context = new TriggerContext(
			workflow,
			this.node,
			this.additionalData(),
			'trigger',
			this.options.activation ?? 'activate',
			([items = []], response, done) => {
				// n8n saves what `trigger()` and its ticks assigned, even if the rest of the static data is outdated.
				this.save(workflow);
				if (this.refuseRuns) return done?.reject(new Error('n8n is shutting down'));
				const isTold = (...kinds: string[]) => !this.killRuns && kinds.includes(this.reported);
				const answers = isTold('all', 'answers') ? response : undefined;
				const ends = isTold('all', 'ends') ? done : undefined;
				const run = this.beforeRun().then(
					async () => await this.execute(items, 'trigger', answers),
				);
				const end = (status: 'success' | 'error') => {
					answers?.resolve(status === 'success' ? {} : FAILED_RUN);
					ends?.resolve({
						status,
						mode: 'trigger',
						startedAt: new Date(),
						storedAt: 'db',
						data: createRunExecutionData(),
					});
				};
				const ended = run.then(
					(outputs) => {
						this.emitted.push({ items, outputs, killed: this.cutShort.has(outputs) });
						end(this.failRuns ? 'error' : 'success');
					},
					(error: unknown) => {
						end('error');
						throw error;
					},
				);
				ended.catch(() => {});
				this.started.push(ended);
			},
			undefined,
			undefined,
			{ registerCron: ({ expression }, onTick) => void crons.push({ expression, onTick }) },
		);
		const response = await this.options.node.trigger.call(context as ITriggerFunctions);
		return {
			response,
			tick: () => crons.forEach(({ onTick }) => onTick(new Date())),
			crons: crons.map(({ expression }) => expression),
			close: async () => await response.closeFunction?.(),
		};
	}

	/** Resolves when every run that the trigger itself started has ended. */
	async runsEnded(): Promise<void> {
		await Promise.all(this.started.splice(0));
	}

	/** A run of the node: it sees static data as saved, and what it assigned is saved at its end. */
	async execute(
		items: INodeExecutionData[],
		mode: WorkflowExecuteMode = 'trigger',
		response?: Parameters<ITriggerFunctions['emit']>[1],
	): Promise<INodeExecutionData[][]> {
		await (processing ??= DataDeduplicationService.init(processedData));
		const workflow = this.loadWorkflow();
		const data = { main: [items] };
		const hooks = this.hooksOf(mode, response);
		const context = new ExecuteContext(
			workflow,
			this.node,
			this.runData(hooks),
			mode,
			createRunExecutionData(),
			0,
			items,
			data,
			{ node: this.node, data, source: null },
			[],
		);
		const outputs = await this.options.node.execute.call(context as IExecuteFunctions);
		await this.beforeSave();
		if (this.killRuns) {
			this.cutShort.add(outputs);
			return outputs;
		}
		const status = this.failRuns ? 'error' : 'success';
		await hooks.runHook('workflowExecuteAfter', [{ status } as IRun, undefined]);
		if (!this.failRuns && workflow.staticData['__dataChanged'] === true) {
			this.save(workflow);
			// The next delivery reads it from the database.
			this.shared.loaded = undefined;
		}
		return outputs;
	}

	/** The hooks of a run, which pass its answer to whoever waits for it. */
	private hooksOf(
		mode: WorkflowExecuteMode,
		response: Parameters<ITriggerFunctions['emit']>[1],
	): ExecutionLifecycleHooks {
		this.runCount += 1;
		const hooks = new ExecutionLifecycleHooks(mode, `run ${this.runCount}`, {} as never);
		hooks.addHandler('sendResponse', async (value) => response?.resolve(value));
		return hooks;
	}

	/** The additional data of a run: its own id, and hooks. */
	private runData(hooks: ExecutionLifecycleHooks) {
		const waiting = 'http://127.0.0.1/waiting';
		return this.additionalData({
			executionId: hooks.executionId,
			webhookWaitingBaseUrl: waiting,
			formWaitingBaseUrl: waiting,
			hooks,
		});
	}

	/** As n8n does: only what was assigned since the workflow was loaded or saved. */
	save({ staticData } = this.workflow): void {
		if (staticData['__dataChanged'] !== true) return;
		this.shared.saved = JSON.parse(JSON.stringify(staticData));
		staticData['__dataChanged'] = false;
	}

	/** Local address of the webhook URL; deliveries for `webhookOrigin` are to be routed there. */
	async listen(): Promise<string> {
		if (this.server !== undefined) return this.origin;
		const app = express();
		app.use(express.raw({ type: () => true, limit: '20mb' }));
		app.use((request, response) => {
			const isFor = (host: ContextHost) => new URL(host.webhookUrl).pathname === request.path;
			void (this.shared.members.find(isFor) ?? this).receive(request, response);
		});
		this.server = createServer(app);
		return await listen(this.server);
	}

	async close(): Promise<void> {
		const { server } = this;
		this.server = undefined;
		if (server !== undefined) await stop(server);
	}

	/**
	 * Sends a request to the webhook and returns what the sender and n8n saw. A header with several
	 * values is sent as several lines.
	 */
	async deliver(request: {
		headers: Readonly<Record<string, string | string[]>>;
		body: Buffer | string;
	}): Promise<DeliveryResult> {
		if (this.server === undefined) await this.listen();
		const before = this.results.length;
		const { status, headers, text } = await post(
			`${this.origin}${new URL(this.webhookUrl).pathname}`,
			{ 'content-type': 'application/json', ...request.headers },
			Buffer.from(request.body),
		);
		const [result] = this.results.slice(before);
		return {
			status,
			headers,
			body: text === '' ? undefined : JSON.parse(text),
			run: result?.run,
			ended: result?.ended ?? false,
		};
	}

	/** The same without a network, which is many times faster. Rejects if `webhook()` throws. */
	async hand({
		headers,
		body,
	}: {
		headers: IncomingMessage['headers'];
		body: Buffer;
	}): Promise<Pick<DeliveryResult, 'status' | 'run' | 'ended'>> {
		const message = Object.assign(new IncomingMessage(new Socket()), {
			method: 'POST',
			headers,
			body,
		});
		const request: express.Request = Object.setPrototypeOf(message, handing.request);
		const response: express.Response = Object.setPrototypeOf(
			new ServerResponse(message),
			handing.response,
		);
		Object.assign(request, { res: response });
		await this.receive(request, response);
		return { status: response.statusCode, run: undefined, ended: false, ...this.results.pop() };
	}

	/** Runs of all deliveries so far, except those passed to `hand`. */
	get runs(): INodeExecutionData[][] {
		return this.results.flatMap(({ run }) => (run === undefined ? [] : [run]));
	}

	private get origin(): string {
		const address = this.server?.address() as AddressInfo;
		return `http://127.0.0.1:${address.port}`;
	}

	private async hook(
		method: 'checkExists' | 'create' | 'delete',
		workflow = this.workflow,
	): Promise<boolean> {
		// n8n-core declares the name of a workflow optional, n8n-workflow does not.
		const context = this.hookContext(method, workflow) as IHookFunctions;
		return await this.options.node.webhookMethods.default[method].call(context);
	}

	private hookContext(
		method?: 'checkExists' | 'create' | 'delete',
		workflow = this.workflow,
	): HookContext {
		const { mode = 'trigger', transport } = this.options;
		const context = new HookContext(
			workflow,
			this.node,
			this.additionalData(),
			// n8n removes a test listener and a published trigger in the same mode.
			method === 'delete' ? 'internal' : mode,
			this.options.activation ?? 'activate',
			this.webhookData,
		);
		if (transport !== undefined) {
			context.helpers.httpRequest = transport;
			context.helpers.httpRequestWithAuthentication = async (_type, request) =>
				await transport(request);
		}
		return context;
	}

	private get workflow(): Workflow {
		this.shared.loaded ??= this.loadWorkflow();
		return this.shared.loaded;
	}

	/** n8n's "Listen for test event": another URL, and a workflow that is not published. */
	private get listensForTest(): boolean {
		return this.options.mode === 'manual';
	}

	private get node(): INode {
		const node = this.workflow.getNode(this.options.nodeName ?? 'Trigger');
		if (node === null) throw new Error('the workflow has no trigger node');
		return node;
	}

	private get webhookData(): IWebhookData {
		const [webhookDescription] = this.options.node.description.webhooks ?? [];
		if (webhookDescription === undefined) throw new Error('the node describes no webhook');
		return {
			httpMethod: 'POST',
			node: this.node.name,
			path: `${this.options.webhookId ?? WEBHOOK_ID}/${webhookDescription.path}`,
			webhookDescription,
			workflowId: this.workflow.id,
			isTest: this.listensForTest,
			workflowExecuteAdditionalData: this.additionalData(),
		};
	}

	private loadWorkflow(staticData = structuredClone(this.shared.saved)): Workflow {
		const { members } = this.shared;
		const { node: ownNode, workflowId = 'wf1' } = this.options;
		const nodeOf = (type: string) =>
			members.map(({ options }) => options.node).find((node) => typeName(node) === type) ?? ownNode;
		const nodeTypes: INodeTypes = {
			getByName: nodeOf,
			getByNameAndVersion: nodeOf,
			getKnownTypes: () => ({}),
		};
		return new Workflow({
			id: workflowId,
			name: 'Test workflow',
			active: !this.listensForTest,
			connections: {},
			nodeTypes,
			staticData,
			nodes: members.map(({ options }) => describeNode(options)),
		});
	}

	private additionalData(http: Partial<IWorkflowExecuteAdditionalData> = {}) {
		const origin = this.options.webhookOrigin ?? 'https://n8n.example.com';
		const data: Partial<IWorkflowExecuteAdditionalData> = {
			credentialsHelper: new DecryptedCredentials(
				this.options.credentialType,
				() => ({ ...productOf(this.options.parameters), ...this.credential }),
				(changes) => {
					this.credential = { ...this.credential, ...changes };
				},
			),
			webhookBaseUrl: `${origin}/webhook`,
			webhookTestBaseUrl: `${origin}/webhook-test`,
			instanceBaseUrl: origin,
			currentNodeExecutionIndex: 0,
			variables: {},
			...http,
		};
		return data as IWorkflowExecuteAdditionalData;
	}

	/** The part of n8n's webhook handling around a node's `webhook()`. */
	private async receive(request: express.Request, response: express.Response): Promise<void> {
		const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
		request.readRawBody = async () => {
			request.rawBody = rawBody;
		};
		// n8n sets the media type without its parameters.
		const mediaType = request.headers['content-type']?.split(';')[0]?.trim();
		if (mediaType !== undefined) request.contentType = mediaType;
		request.body = {};
		// Other bodies are left to the node.
		if (mediaType !== undefined && PARSED_TYPE.test(mediaType)) {
			await request.readRawBody();
			request.body = parseAsN8nDoes(request);
		}
		this.alterRequest(request);
		// n8n loads the workflow from the database for each delivery, static data included.
		const context = new WebhookContext(
			this.workflow,
			this.node,
			this.additionalData({ httpRequest: request, httpResponse: response }),
			this.options.mode ?? 'webhook',
			this.webhookData,
			[],
			null,
		);
		const result = await this.options.node.webhook.call(context as IWebhookFunctions);
		const run = result.workflowData?.[0];
		if (run !== undefined) await this.beforeAnswer();
		if (run !== undefined && this.failToStart) {
			this.results.push({ run: undefined, ended: true });
			response.status(500).json({ message: 'Workflow could not be started!' });
			return;
		}
		this.results.push({ run, ended: response.writableEnded || result.noWebhookResponse !== true });
		if (result.noWebhookResponse === true) return;
		response.status(200).json(result.webhookResponse ?? { message: 'Webhook call received' });
	}
}

/** A credential is for the node's product, unless a test says otherwise. */
export function productOf({ product }: INodeParameters): ICredentialDataDecryptedObject {
	return typeof product === 'string' ? { product } : {};
}

/** The node as it is in the workflow. */
function describeNode(options: ContextHostOptions): INode {
	const { node, parameters, nodeName = 'Trigger', webhookId = WEBHOOK_ID } = options;
	return {
		id: options.nodeId ?? `node-of-${nodeName}`,
		name: nodeName,
		type: typeName(node),
		typeVersion: Number(node.description.version),
		position: [0, 0],
		parameters: structuredClone(parameters),
		...(webhookId === null ? {} : { webhookId }),
		credentials: {
			[options.credentialType.name]: {
				id: options.credentialId ?? 'cred1',
				name: 'Test credential',
			},
		},
	};
}

function typeName({ description }: TriggerNode): string {
	return `n8n-nodes-misar-metigan.${description.name}`;
}

/** Not `fetch`, which joins the values of a header to one line. */
async function post(
	url: string,
	headers: Readonly<Record<string, string | string[]>>,
	body: Buffer,
): Promise<{ status: number; headers: Headers; text: string }> {
	return await new Promise((resolve, reject) => {
		const sent = httpRequest(url, { method: 'POST', headers }, (response) => {
			const chunks: Buffer[] = [];
			response.on('data', (chunk: Buffer) => chunks.push(chunk));
			response.on('error', reject);
			response.on('end', () =>
				resolve({
					status: response.statusCode ?? 0,
					headers: new Headers(
						Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
					),
					text: Buffer.concat(chunks).toString('utf8'),
				}),
			);
		});
		sent.on('error', reject);
		sent.end(body);
	});
}

/** Media types of bodies that n8n parses for a node of a version above 1. */
const PARSED_TYPE =
	/^(?:application\/json|text\/plain|application\/x-www-form-urlencoded|.*[/+]xml$)/;

function parseAsN8nDoes(request: express.Request): unknown {
	if (request.headers['content-type'] !== 'application/json') return {};
	try {
		return JSON.parse(request.rawBody.toString('utf8'));
	} catch {
		return {};
	}
}

/** Hands out one credential and applies its type's `authenticate`, expressions included. */
export class DecryptedCredentials extends ICredentialsHelper {
	constructor(
		private readonly type: ICredentialType,
		private readonly current: () => ICredentialDataDecryptedObject,
		private readonly keep: (changes: ICredentialDataDecryptedObject) => void,
	) {
		super();
	}

	getParentTypes(): string[] {
		return [];
	}

	isCredentialUsableByNode(): boolean {
		return true;
	}

	async authenticate(
		credentials: ICredentialDataDecryptedObject,
		_typeName: string,
		request: IHttpRequestOptions,
		workflow: Workflow,
	): Promise<IHttpRequestOptions> {
		const { authenticate } = this.type;
		if (typeof authenticate === 'function') return await authenticate(credentials, request);
		const { properties } = authenticate as IAuthenticateGeneric;
		const headers = Object.entries(properties.headers ?? {}).map(([name, value]) => [
			name,
			workflow.expression.getParameterValue(value as string, null, 0, 0, '', [], 'internal', {
				$credentials: credentials,
			} as never),
		]);
		return { ...request, headers: { ...request.headers, ...Object.fromEntries(headers) } };
	}

	/** As n8n does it: an expirable token is fetched when it is empty or has expired, and kept. */
	async preAuthentication(
		helpers: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
		_typeName: string,
		_node: INode,
		expired: boolean,
	): Promise<ICredentialDataDecryptedObject | undefined> {
		const token = this.type.properties.find(({ typeOptions }) => typeOptions?.expirable === true);
		if (token === undefined || this.type.preAuthentication === undefined) return undefined;
		if (!expired && credentials[token.name] !== '') return undefined;
		const fetched = await this.type.preAuthentication.call(helpers, credentials);
		const value = fetched[token.name];
		if (typeof value !== 'string') return undefined;
		this.keep({ [token.name]: value });
		return { ...credentials, [token.name]: value };
	}

	async runPreAuthentication(): Promise<undefined> {
		return undefined;
	}

	async getCredentials(): Promise<ICredentials> {
		throw new Error('not used by contexts');
	}

	/** As n8n does it: fields that are expressions are resolved for the item. */
	async getDecrypted(
		...[, , , mode, , , item]: Parameters<ICredentialsHelper['getDecrypted']>
	): Promise<ICredentialDataDecryptedObject> {
		const defaults = this.getCredentialsProperties().map(({ name, default: value }) => [
			name,
			value,
		]);
		const fields = { ...Object.fromEntries(defaults), ...this.current() };
		if (item === undefined) return fields;
		return item.workflow.expression.getParameterValue(
			fields,
			item.runExecutionData,
			item.runIndex,
			item.itemIndex,
			item.node.name,
			item.connectionInputData,
			mode,
			{},
		) as ICredentialDataDecryptedObject;
	}

	async updateCredentials(): Promise<void> {}

	async updateCredentialsOauthTokenData(): Promise<void> {}

	getCredentialsProperties(): INodeProperties[] {
		return this.type.properties;
	}
}
