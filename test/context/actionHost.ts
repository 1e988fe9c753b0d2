import { ExecutionLifecycleHooks, LoadOptionsContext, WorkflowExecute } from 'n8n-core';
import {
	createRunExecutionData,
	NodeConnectionTypes,
	Workflow,
	type IConnections,
	type ICredentialDataDecryptedObject,
	type ICredentialType,
	type IDataObject,
	type IExecuteFunctions,
	type ILoadOptionsFunctions,
	type INode,
	type INodeExecutionData,
	type INodeListSearchResult,
	type INodeParameters,
	type INodeProperties,
	type INodeType,
	type INodeTypes,
	type IRun,
	type IRunExecutionData,
	type IWorkflowExecuteAdditionalData,
	type IWorkflowSettings,
	type OnError,
	type WorkflowExecuteMode,
} from 'n8n-workflow';

import type { ProviderId, Sandbox } from '../../sandbox';
import { DecryptedCredentials, productOf } from '../../testkit/contextHost';
import * as triggers from '../../testkit/triggers';
import { instantiate } from './providers';

/**
 * Runs an action node through n8n-core's real WorkflowExecute: a start node that yields the items,
 * then the action. What n8n's command package adds (the decrypted credential, the conversion of a
 * node to a tool) is done here as n8n 2.39 does it.
 */

// n8n logs every error of a node.
process.env['N8N_LOG_LEVEL'] = 'silent';

/** An action node: the parts that n8n calls. */
export interface ActionNode extends INodeType {
	methods: {
		listSearch: {
			searchEndpoints(this: ILoadOptionsFunctions, filter?: string): Promise<INodeListSearchResult>;
		};
	};
}

/** An action node and the account that it works with. */
export type ActionNodeCase = Omit<ActionCase, 'nodeFile' | 'path' | 'events'>;

/** One provider or product whose endpoints an action node manages. */
export interface ActionCase {
	/** Name in the editor, e.g. "Misar Mail". */
	readonly title: string;
	readonly provider: ProviderId;
	readonly node: ActionNode;
	readonly credentialType: ICredentialType;
	/** Node parameters that choose the product. */
	readonly parameters: INodeParameters;
	/** Its compiled file below `dist`. */
	readonly nodeFile: string;
	/** Path of the collection of endpoints. */
	readonly path: string;
	/** Two documented events. */
	readonly events: readonly [string, string];
}

/** The action node of a trigger's provider. */
function actionOf(trigger: triggers.TriggerCase): ActionCase {
	const { title, provider, nodeFile, credentialFile, parameters, api, events } = trigger;
	const file = nodeFile.replace('Trigger.node.js', '.node.js');
	return {
		title,
		provider,
		node: instantiate<ActionNode>(file),
		nodeFile: file,
		credentialType: instantiate<ICredentialType>(credentialFile),
		parameters: { ...parameters },
		path: api?.path ?? '',
		events,
	};
}

/** Every product of every action node. */
export const allCases: readonly ActionCase[] = triggers.triggerCases.map(actionOf);

/** Every product whose endpoints an action node manages. */
export const casesWithApi = allCases.filter(({ path }) => path !== '');

/** The first product of each of these nodes. */
export const nodesUnderTest: readonly ActionCase[] = casesWithApi.filter(
	({ node }, at) =>
		casesWithApi.findIndex((other) => other.node.description.name === node.description.name) === at,
);

function caseOf({ provider }: triggers.TriggerCase): ActionCase {
	const found = casesWithApi.find((action) => action.provider === provider);
	if (found === undefined) throw new Error(`${provider} has no API`);
	return found;
}

export const misarMail = caseOf(triggers.misarMail);
export const misarReach = caseOf(triggers.misarReach);
export const misarPost = caseOf(triggers.misarPost);
export const mailPanda = caseOf(triggers.mailPanda);
export const metigan = caseOf(triggers.metigan);
/** A node that manages no endpoints. */
export const misarBlog: ActionNodeCase = actionOf(triggers.misarBlog);

/** What n8n's database has of each execution. */
const storedRuns = new Map<string, IRunExecutionData>();
let executionCount = 0;

/** The address of the APIs that an action node calls, and the key of each provider. */
export interface ActionAccount {
	readonly url: string;
	readonly keys: Readonly<Record<string, string>>;
}

/** An action node that can be run, of a provider that need not be of the package. */
export interface RunnableAction {
	readonly provider: string;
	readonly node: INodeType;
	readonly credentialType: ICredentialType;
	readonly parameters: INodeParameters;
}

export interface ActionCall {
	readonly parameters: INodeParameters;
	/** Default: the stand-in's address and its key that may do everything. */
	readonly credential?: ICredentialDataDecryptedObject;
	/** Default: one empty item. */
	readonly items?: INodeExecutionData[];
	readonly onError?: OnError;
	/** Settings of the workflow. */
	readonly timezone?: string;
	readonly saveDataErrorExecution?: IWorkflowSettings['saveDataErrorExecution'];
	/** Why the workflow runs. Default: `trigger`. */
	readonly mode?: WorkflowExecuteMode;
	/** Default: one id for all. */
	readonly workflowId?: string;
	/** Parameters of n8n's Webhook node, where it is what starts the workflow. */
	readonly webhook?: INodeParameters;
	/** A node at the first output. */
	readonly next?: NextNode;
	/** n8n keeps no execution once it has ended. */
	readonly keepsNothing?: true;
}

/** A node that works on what the action outputs. */
export interface NextNode {
	/** Default: a type that exists only here. */
	readonly type?: string;
	readonly parameters?: INodeParameters;
	readonly work: () => Promise<void>;
}

/** An error as n8n stores it with an execution. */
export interface StoredError {
	readonly name: string;
	readonly message: string;
	readonly description?: string | null;
	readonly httpCode?: string | null;
	readonly context: IDataObject;
	readonly stack?: string;
}

export interface ActionResult {
	/** What left by each output of the action node. */
	readonly outputs: INodeExecutionData[][];
	readonly error?: StoredError;
	/** Everything n8n would store of the execution but the nodes themselves. */
	readonly stored: string;
}

/** A delivery as n8n's Webhook node hands it on with its option Raw Body. */
export function webhookItem(
	headers: Readonly<Record<string, string | string[]>>,
	body: Buffer | string,
): INodeExecutionData {
	return {
		json: { headers: { ...headers }, body: 'parsed, and not to be verified' },
		binary: {
			data: { data: Buffer.from(body).toString('base64'), mimeType: 'application/json' },
		},
	};
}

/** Runs one operation for the items. Never rejects for what the node throws. */
export async function runAction(
	account: ActionAccount,
	action: RunnableAction,
	call: ActionCall,
): Promise<ActionResult> {
	const { parameters, credential, items = [{ json: {} }], onError, timezone } = call;
	const node: INode = {
		...describe('Action', action.node),
		parameters: { ...action.parameters, ...parameters },
		credentials: { [action.credentialType.name]: { id: 'cred1', name: 'Test credential' } },
		...(onError === undefined ? {} : { onError }),
	};
	const start = startNode(items);
	const { webhook, next, keepsNothing, saveDataErrorExecution } = call;
	const webhookNode = webhook && { type: 'n8n-nodes-base.webhook', parameters: webhook };
	const startOfRun: INode = { ...describe('Start', start), ...webhookNode };
	const data = additionalData(account, action, node, credential);
	const { executionId = '' } = data;
	storedRuns.set(executionId, notBegun(startOfRun));
	const run = await execute(
		[[startOfRun, start], [node, action.node], ...(next === undefined ? [] : [nextNode(next)])],
		{
			Start: { main: [[{ node: 'Action', type: NodeConnectionTypes.Main, index: 0 }]] },
			...(next === undefined
				? {}
				: { Action: { main: [[{ node: 'Next', type: NodeConnectionTypes.Main, index: 0 }]] } }),
		},
		data,
		{
			...call,
			settings: {
				...(timezone === undefined ? {} : { timezone }),
				...(saveDataErrorExecution === undefined ? {} : { saveDataErrorExecution }),
			},
		},
	);
	if (keepsNothing === true) storedRuns.delete(executionId);
	else storedRuns.set(executionId, run.data);
	return readRun(run, 'Action');
}

/** The first output's items as plain data. @throws the error of the run, if there is one */
export async function runForData(
	sandbox: Sandbox,
	action: ActionNodeCase,
	call: ActionCall,
): Promise<IDataObject[]> {
	const { outputs, error } = await runAction(sandbox, action, call);
	if (error !== undefined) throw new Error(`${error.message} — ${error.description ?? ''}`);
	return (outputs[0] ?? []).map(({ json }) => json);
}

/** The resource locator's list, as the editor asks for it. */
export async function searchEndpoints(
	sandbox: Sandbox,
	action: ActionCase,
	parameters: INodeParameters,
	filter?: string,
	credential: ICredentialDataDecryptedObject = {},
): Promise<INodeListSearchResult> {
	const node: INode = {
		...describe('Action', action.node),
		parameters: { ...action.parameters, ...parameters },
		credentials: { [action.credentialType.name]: { id: 'cred1', name: 'Test credential' } },
	};
	const context = new LoadOptionsContext(
		workflowOf([[node, action.node]], {}),
		node,
		{
			...additionalData(sandbox, action, node, credential),
			currentNodeParameters: node.parameters,
		},
		'parameters.endpoint',
	);
	// n8n-core declares the name of a workflow optional, n8n-workflow does not.
	const self = context as ILoadOptionsFunctions;
	return await action.node.methods.listSearch.searchEndpoints.call(self, filter);
}

/** A tool as an agent gets it: the part of LangChain's StructuredTool that is used here. */
export interface AgentTool {
	readonly name: string;
	readonly description: string;
	readonly schema: unknown;
	invoke(args: IDataObject): Promise<unknown>;
}

/**
 * Connects the node as a tool to an agent, which n8n-core hands the tool that it generates.
 * @param use what the agent does with it; its result is returned
 */
export async function runAsTool<T>(
	sandbox: Sandbox,
	action: ActionNodeCase,
	parameters: INodeParameters,
	use: (tool: AgentTool) => Promise<T>,
	credential: ICredentialDataDecryptedObject = {},
): Promise<T> {
	const tool = asTool(action.node);
	const node: INode = {
		...describe('Webhook tool', tool),
		parameters: { ...action.parameters, descriptionType: 'auto', ...parameters },
		credentials: { [action.credentialType.name]: { id: 'cred1', name: 'Test credential' } },
	};
	let result: { readonly value: T } | undefined;
	const agent = agentNode(async (given) => {
		result = { value: await use(given) };
	});
	const start = startNode([{ json: {} }]);
	const run = await execute(
		[
			[describe('Start', start), start],
			[describe('Agent', agent), agent],
			[node, tool],
		],
		{
			Start: { main: [[{ node: 'Agent', type: NodeConnectionTypes.Main, index: 0 }]] },
			[node.name]: {
				ai_tool: [[{ node: 'Agent', type: NodeConnectionTypes.AiTool, index: 0 }]],
			},
		},
		additionalData(sandbox, action, node, credential),
	);
	const { error } = readRun(run, 'Agent');
	if (result !== undefined && error === undefined) return result.value;
	throw new Error(error?.message ?? 'the agent was given no tool');
}

/** As n8n converts a node that is usable as a tool. */
export function asTool<T extends INodeType>(node: T): T {
	const { usableAsTool, ...description } = node.description;
	if (usableAsTool !== true) throw new Error(`${description.name} is not usable as a tool`);
	const clone: T = Object.create(node);
	clone.description = {
		...description,
		name: `${description.name}Tool`,
		displayName: `${description.displayName} Tool`,
		inputs: [],
		outputs: [NodeConnectionTypes.AiTool],
		properties: [
			{
				displayName: 'Tool Description',
				name: 'descriptionType',
				type: 'options',
				options: [
					{ name: 'Set Automatically', value: 'auto' },
					{ name: 'Set Manually', value: 'manual' },
				],
				default: 'auto',
			},
			{
				displayName: 'Description',
				name: 'toolDescription',
				type: 'string',
				default: description.description,
				displayOptions: { show: { descriptionType: ['manual'] } },
			},
			...description.properties,
		],
	};
	return clone;
}

function startNode(items: INodeExecutionData[]): INodeType {
	return {
		description: {
			...plainDescription('start', [], [NodeConnectionTypes.Main]),
			properties: [stringField('responseMode', 'onReceived')],
		},
		execute: async () => [items],
	};
}

function nextNode({ type, parameters, work }: NextNode): [INode, INodeType] {
	const nodeType: INodeType = {
		description: {
			...plainDescription('next', [NodeConnectionTypes.Main], [NodeConnectionTypes.Main]),
			properties: [
				{
					...{ displayName: 'Options', name: 'options', type: 'collection', default: {} },
					options: [{ displayName: 'Code', name: 'responseCode', type: 'number', default: 200 }],
				},
			],
		},
		async execute() {
			await work();
			return [this.getInputData()];
		},
	};
	const node = describe('Next', nodeType);
	return [{ ...node, ...(type && { type }), ...(parameters && { parameters }) }, nodeType];
}

/** n8n drops parameters that a node does not have. */
function stringField(name: string, value: string): INodeProperties {
	return { displayName: name, name, type: 'string', default: value };
}

/** An execution as n8n stores it before it runs. */
function notBegun(start: INode): IRunExecutionData {
	const nodeExecutionStack = [{ node: start, data: { main: [[{ json: {} }]] }, source: null }];
	return createRunExecutionData({ executionData: { nodeExecutionStack } });
}

function agentNode(use: (tool: AgentTool) => Promise<void>): INodeType {
	return {
		description: plainDescription(
			'agent',
			[NodeConnectionTypes.Main, { type: NodeConnectionTypes.AiTool }],
			[NodeConnectionTypes.Main],
		),
		async execute(this: IExecuteFunctions) {
			const tools = (await this.getInputConnectionData(
				NodeConnectionTypes.AiTool,
				0,
			)) as AgentTool[];
			for (const tool of tools) await use(tool);
			return [[{ json: {} }]];
		},
	};
}

function plainDescription(
	name: string,
	inputs: INodeType['description']['inputs'],
	outputs: INodeType['description']['outputs'],
): INodeType['description'] {
	return {
		displayName: name,
		name,
		group: ['input'],
		version: 1,
		description: name,
		defaults: { name },
		inputs,
		outputs,
		properties: [],
	};
}

/** The node as it stands in a workflow, without parameters. */
function describe(name: string, node: INodeType): INode {
	return {
		id: `node-of-${name}`,
		name,
		type: `n8n-nodes-misar-metigan.${node.description.name}`,
		typeVersion: 1,
		position: [0, 0],
		parameters: {},
	};
}

type RunOptions = Pick<ActionCall, 'mode' | 'workflowId'> & { settings?: IWorkflowSettings };

function workflowOf(
	members: ReadonlyArray<readonly [INode, INodeType]>,
	connections: IConnections,
	{ workflowId = 'wf1', settings = {} }: RunOptions = {},
): Workflow {
	const typeOf = (type: string) => {
		const [, found] = members.find(([node]) => node.type === type) ?? [];
		if (found === undefined) throw new Error(`no node type ${type}`);
		return found;
	};
	const nodeTypes: INodeTypes = {
		getByName: typeOf,
		getByNameAndVersion: typeOf,
		getKnownTypes: () => ({}),
	};
	return new Workflow({
		id: workflowId,
		name: 'Test workflow',
		active: false,
		nodes: members.map(([node]) => node),
		connections,
		nodeTypes,
		settings: { executionOrder: 'v1', ...settings },
	});
}

async function execute(
	members: ReadonlyArray<readonly [INode, INodeType]>,
	connections: IConnections,
	data: IWorkflowExecuteAdditionalData,
	options: RunOptions = {},
): Promise<IRun> {
	const { mode = 'trigger' } = options;
	const workflow = workflowOf(members, connections, options);
	const hooks = new ExecutionLifecycleHooks(mode, 'execution1', {
		id: 'wf1',
		name: 'Test workflow',
		active: false,
		activeVersionId: null,
		isArchived: false,
		createdAt: new Date(0),
		updatedAt: new Date(0),
		nodes: members.map(([node]) => node),
		connections,
	});
	const startNodes = members.map(([node]) => node).filter(({ name }) => name === 'Start');
	const [start] = startNodes;
	return await new WorkflowExecute({ ...data, hooks }, mode).run({
		workflow,
		...(start === undefined ? {} : { startNode: start }),
	});
}

function additionalData(
	{ url, keys }: ActionAccount,
	{ provider, credentialType }: RunnableAction,
	{ parameters }: INode,
	credential: ICredentialDataDecryptedObject = {},
): IWorkflowExecuteAdditionalData {
	let current: ICredentialDataDecryptedObject = {
		...productOf(parameters),
		baseUrl: url,
		apiKey: keys[provider] ?? '',
		...credential,
	};
	const data: Partial<IWorkflowExecuteAdditionalData> = {
		getRunExecutionData: async (id) => storedRuns.get(id),
		credentialsHelper: new DecryptedCredentials(
			credentialType,
			() => current,
			(changes) => {
				current = { ...current, ...changes };
			},
		),
		executionId: `execution${++executionCount}`,
		instanceBaseUrl: 'https://n8n.example.com/',
		webhookWaitingBaseUrl: 'https://n8n.example.com/webhook-waiting',
		formWaitingBaseUrl: 'https://n8n.example.com/form-waiting',
		currentNodeExecutionIndex: 0,
		variables: {},
	};
	return data as IWorkflowExecuteAdditionalData;
}

function readRun({ data }: IRun, nodeName: string): ActionResult {
	const [task] = data.resultData.runData[nodeName] ?? [];
	const error = (task?.error ?? data.resultData.error) as StoredError | undefined;
	return {
		outputs: (task?.data?.['main'] ?? []).map((items) => items ?? []),
		...(error === undefined ? {} : { error }),
		stored: JSON.stringify(data.resultData, (key, value: unknown) =>
			key === 'node' ? undefined : value,
		),
	};
}
