import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { installCommunityPackage } from './community';
import type { InstalledHost } from './install.mjs';
import { locateN8n, type Pin } from './locate';
import { logFileIn, N8nProcess, type ProcessSettings } from './n8nProcess';
import { DeadlineError, until } from './poll';
import { freePorts } from './ports';
import { fillNew, makeUserFolder } from './prepared';
import { HostError, RestClient } from './rest';
import {
	credentialSchema,
	credentialTestSchema,
	executionListSchema,
	executionSchema,
	nodeTypesSchema,
	publicationSchema,
	storedCredentialSchema,
	workflowSchema,
	type CredentialTestResult,
	type Execution,
	type ExecutionPage,
	type ExecutionSummary,
	type NodeTypeDescription,
	type StoredWorkflow,
	type WorkflowDefinition,
} from './schemas';

export { HostError } from './rest';
export { chain, outputOf } from './schemas';
export type {
	CredentialTestResult,
	Execution,
	ExecutionSummary,
	NodeDefinition,
	StoredWorkflow,
	WorkflowDefinition,
} from './schemas';

/** How to start a real n8n; everything has a default. */
export interface N8nHostOptions {
	/** A `npm pack` file, or several, to install as community packages before the start. */
	tarball?: string | readonly string[];
	/** Which of the pinned n8ns; see `locateN8n`. */
	pin?: Pin;
	/** Extra environment variables for n8n. */
	env?: Record<string, string>;
	/** Public-looking https base of the webhook URLs n8n hands to providers (`N8N_WEBHOOK_URL`). */
	webhookUrl?: string;
	/** An existing or new n8n user folder to use and keep; default: a fresh one, removed by `stop`. */
	userFolder?: string;
	/** Port of the editor and the webhooks; default: a free one. */
	port?: number;
	/**
	 * Whether a person or a browser uses it, or n8n itself is measured: then n8n runs with all its features.
	 * Default: no editor, and none of the features that a workflow has no part in.
	 */
	editor?: boolean;
	/** Creates database, encryption key and owner instead of copying them: for a database elsewhere. */
	fresh?: boolean;
	/**
	 * Switches n8n's publication service on or off; default: as n8n has it, which is on from 2.41 on.
	 * Without it n8n publishes before it answers, and registers every published trigger again at each
	 * start, as older 2.x and 1.x do.
	 */
	publicationService?: boolean | undefined;
}

/** What {@link N8nHost.restart} changes; anything not given is kept. */
export interface RestartOptions {
	/** Another n8n, which migrates the database of the previous one. */
	pin?: Pin;
	env?: Record<string, string>;
	webhookUrl?: string;
	publicationService?: boolean | undefined;
}

/** The owner account, made at the first start. */
export interface Owner {
	email: string;
	password: string;
}

const PUBLICATION_SERVICE = 'N8N_USE_WORKFLOW_PUBLICATION_SERVICE';
const PUBLISH_MS = 60_000;
const PORT_TRIES = 3;
const PORT_TAKEN = /port \d+ is already in use/;
const LIST_PAGE = 100;
const UNFINISHED = new Set(['new', 'running', 'unknown']);

/**
 * Starts the pinned n8n on the loopback address with an owner signed in. Where `N8N_HOST_PORT` names the port
 * of an n8n that something else has started, such as a Docker image, it is that one, with the settings and
 * packages it has; `N8N_HOST_FOLDER` is a folder with its log, `n8n.log`, and for its owner.
 *
 * @throws HostError when n8n does not come up; the end of its log is in the message
 */
export async function startN8n(options: N8nHostOptions = {}): Promise<N8nHost> {
	const { N8N_HOST_PORT: running, N8N_HOST_FOLDER: folder } = process.env;
	if (running !== undefined && folder !== undefined) return await attach(Number(running), folder);
	const installed = await locateN8n(options.pin);
	const { editor = false } = options;
	const temporary = options.userFolder === undefined;
	const userFolder = options.userFolder ?? (await makeUserFolder(!editor));
	try {
		await fill(userFolder, options, installed);
		const settings = {
			host: installed,
			userFolder,
			removeFolderOnDeath: temporary,
			webhookUrl: options.webhookUrl,
			editor,
			env: { ...publicationSetting(options), ...options.env },
		};
		const { process, ports } = await startOnFreePorts(settings, options.port);
		const host = new N8nHost({ ...settings, ...ports }, process, await readOwner(userFolder));
		try {
			await host.signIn();
		} catch (error) {
			await process.kill();
			throw error;
		}
		return host;
	} catch (error) {
		if (temporary) await rm(userFolder, { recursive: true, force: true });
		throw error;
	}
}

/** Signs in to an n8n that this process neither starts nor ends. */
async function attach(port: number, userFolder: string): Promise<N8nHost> {
	const [, version = ''] =
		/^Version: (.+)$/m.exec(readFileSync(logFileIn(userFolder), 'utf8')) ?? [];
	const elsewhere = { dir: '', nodeBinary: '', n8nBin: '', version };
	const settings = { host: elsewhere, userFolder, removeFolderOnDeath: false, port, brokerPort: 0 };
	const host = new N8nHost(
		{ ...settings, webhookUrl: undefined, editor: true, env: {} },
		undefined,
		await readOwner(userFolder),
	);
	await host.signIn();
	return host;
}

/** Installs the packages; a new folder is a copy of one where that has been done, if there is one. */
async function fill(
	userFolder: string,
	{ tarball = [], userFolder: own, fresh = false }: N8nHostOptions,
	{ version }: InstalledHost,
): Promise<void> {
	if (own === undefined && typeof tarball === 'string') {
		await fillNew(userFolder, { tarball, version }, fresh ? 'package' : 'everything');
		return;
	}
	await mkdir(userFolder, { recursive: true });
	for (const each of [tarball].flat()) await installCommunityPackage(userFolder, each);
}

function publicationSetting({
	publicationService: on,
}: Pick<RestartOptions, 'publicationService'>): Record<string, string> {
	return on === undefined ? {} : { [PUBLICATION_SERVICE]: String(on) };
}

type Ports = Pick<ProcessSettings, 'port' | 'brokerPort'>;

/**
 * Another process may take a free port before n8n uses it: then this tries again.
 *
 * @internal
 */
export async function startOnFreePorts(
	settings: Omit<ProcessSettings, keyof Ports>,
	wanted?: number,
): Promise<{ process: N8nProcess; ports: Ports }> {
	for (let tries = 1; ; tries += 1) {
		const [port = 0, brokerPort = 0] = await freePorts(2);
		const ports = { port: wanted ?? port, brokerPort };
		try {
			return { process: await N8nProcess.start({ ...settings, ...ports }), ports };
		} catch (error) {
			const taken = error instanceof HostError && PORT_TAKEN.test(error.message);
			if (!taken || wanted !== undefined || tries === PORT_TRIES) throw error;
		}
	}
}

const ownerSchema = z.object({ email: z.string(), password: z.string() });

function ownerFile(userFolder: string): string {
	return join(userFolder, 'owner.json');
}

async function readOwner(userFolder: string): Promise<Owner> {
	const file = ownerFile(userFolder);
	if (existsSync(file)) return ownerSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
	// n8n wants a capital letter and a digit in it.
	return { email: 'owner@example.com', password: `N8n-${randomBytes(9).toString('hex')}` };
}

/** A running n8n, driven the way its editor does it. */
export class N8nHost {
	private rest: RestClient;

	/** @internal use {@link startN8n} */
	constructor(
		private settings: ProcessSettings,
		private process: N8nProcess | undefined,
		/** Who to sign in as in the editor. */
		readonly owner: Owner,
	) {
		this.rest = new RestClient(this.url);
	}

	/** The local address of the editor, without a slash at the end. */
	get url(): string {
		return `http://127.0.0.1:${this.settings.port}`;
	}

	get port(): number {
		return this.settings.port;
	}

	get userFolder(): string {
		return this.settings.userFolder;
	}

	/** The process id of the n8n program as it runs now. */
	get pid(): number {
		return this.ownProcess.pid;
	}

	/** n8n's version, e.g. `2.41.1`. */
	get version(): string {
		return this.settings.host.version;
	}

	/** @internal Sets the owner up at the first start of a user folder, else signs in. */
	async signIn(): Promise<void> {
		const { email, password } = this.owner;
		const file = ownerFile(this.userFolder);
		if (existsSync(file)) {
			await this.rest.call(z.unknown(), 'POST', '/login', { emailOrLdapLoginId: email, password });
			return;
		}
		await this.rest.call(z.unknown(), 'POST', '/owner/setup', {
			email,
			password,
			firstName: 'Test',
			lastName: 'Owner',
		});
		await writeFile(file, JSON.stringify(this.owner), { mode: 0o600 });
	}

	/** @returns the credential's id */
	async createCredential(name: string, type: string, data: object): Promise<string> {
		const body = { name, type, data };
		return (await this.rest.call(credentialSchema, 'POST', '/credentials', body)).id;
	}

	/** Replaces name and data of a credential. */
	async updateCredential(id: string, name: string, type: string, data: object): Promise<void> {
		await this.rest.call(z.unknown(), 'PATCH', `/credentials/${id}`, { name, type, data });
	}

	/** Runs n8n's test of a stored credential; a failed test is an answer, not an exception. */
	async testCredential(id: string): Promise<CredentialTestResult> {
		// As the editor does it: read it with its secrets blanked, which n8n fills in again.
		const path = `/credentials/${id}?includeData=true`;
		const credentials = await this.rest.call(storedCredentialSchema, 'GET', path);
		return await this.rest.call(credentialTestSchema, 'POST', '/credentials/test', { credentials });
	}

	async deleteCredential(id: string): Promise<void> {
		await this.rest.call(z.unknown(), 'DELETE', `/credentials/${id}`);
	}

	/**
	 * Makes a key of n8n's public API, which does not expire.
	 *
	 * @param scopes - what it may be used for, e.g. `execution:list`
	 */
	async createApiKey(label: string, scopes: readonly string[]): Promise<string> {
		const answer = z.object({ rawApiKey: z.string() });
		const body = { label, scopes, expiresAt: null };
		return (await this.rest.call(answer, 'POST', '/api-keys', body)).rawApiKey;
	}

	/** Stores a workflow, unpublished. Ids and positions of nodes are filled in where missing. */
	async createWorkflow(definition: WorkflowDefinition): Promise<StoredWorkflow> {
		return await this.rest.call(workflowSchema, 'POST', '/workflows', {
			connections: {},
			...definition,
			nodes: complete(definition.nodes),
			settings: { executionOrder: 'v1', ...definition.settings },
			active: false,
		});
	}

	/** Saves changes as a new draft; a published workflow goes on with its old version until `publish`. */
	async updateWorkflow(id: string, changes: Partial<WorkflowDefinition>): Promise<StoredWorkflow> {
		return await this.rest.call(workflowSchema, 'PATCH', `/workflows/${id}`, {
			...changes,
			...(changes.nodes && { nodes: complete(changes.nodes) }),
		});
	}

	/** The workflow as everyone who may read it gets it, with its static data and `active`. */
	async getWorkflow(id: string): Promise<StoredWorkflow> {
		return await this.rest.call(workflowSchema, 'GET', `/workflows/${id}`);
	}

	/**
	 * Publishes a version: n8n calls `checkExists` and `create` of its webhook triggers. Also waits for
	 * n8n's publication service where that is on, which does it in the background.
	 *
	 * @param version - the newest one when not given
	 * @throws HostError with n8n's own message when a trigger refuses
	 */
	async publish(id: string, version?: string): Promise<void> {
		const versionId = version ?? (await this.getWorkflow(id)).versionId;
		await this.rest.call(z.unknown(), 'POST', `/workflows/${id}/activate`, { versionId });
		await this.settled(id);
	}

	/** Takes a workflow out of service: n8n calls `delete` of its webhook triggers. */
	async unpublish(id: string): Promise<void> {
		await this.rest.call(z.unknown(), 'POST', `/workflows/${id}/deactivate`, {});
		await this.settled(id);
	}

	/** Archives and deletes a workflow, unpublishing it on the way. */
	async deleteWorkflow(id: string): Promise<void> {
		await this.rest.call(z.unknown(), 'POST', `/workflows/${id}/archive`, {});
		await this.settled(id);
		await this.rest.call(z.unknown(), 'DELETE', `/workflows/${id}`);
	}

	/**
	 * What "Listen for test event" does: registers the trigger's test URL, for one event or 2 minutes.
	 * Its run is an execution with mode `manual`.
	 *
	 * @param lastNode - the last node to run: the trigger itself for its "Execute step" (n8n 2.x)
	 */
	async listenForTestEvent(id: string, triggerName: string, lastNode?: string): Promise<void> {
		// n8n 1.x runs the workflow it is sent, 2.x the stored one.
		const workflowData = await this.getWorkflow(id);
		const body = {
			workflowData,
			triggerToStartFrom: { name: triggerName },
			...(lastNode && { destinationNode: { nodeName: lastNode, mode: 'inclusive' } }),
		};
		const answer = z.object({ waitingForWebhook: z.literal(true) });
		await this.rest.call(answer, 'POST', `/workflows/${id}/run`, body);
	}

	/**
	 * Runs a stored workflow manually.
	 *
	 * @param how - where to start and to end, as the editor of n8n 2.x says it
	 * @returns the execution's id
	 */
	async runByHand(id: string, how: object): Promise<string> {
		const answer = z.object({ executionId: z.string() });
		return (await this.rest.call(answer, 'POST', `/workflows/${id}/run`, how)).executionId;
	}

	/** Stops an execution, as the editor's Stop does. */
	async stopExecution(executionId: string): Promise<void> {
		await this.rest.call(z.unknown(), 'POST', `/executions/${executionId}/stop`, {});
	}

	/** Runs a failed execution again, from the node that failed. */
	async retry(executionId: string): Promise<void> {
		await this.rest.call(z.unknown(), 'POST', `/executions/${executionId}/retry`, {});
	}

	/**
	 * Ends the listening of {@link listenForTestEvent} before an event came. n8n answers first and
	 * calls the trigger's `delete` afterwards: wait for what that brings about.
	 */
	async stopListening(id: string): Promise<void> {
		await this.rest.call(z.unknown(), 'DELETE', `/test-webhook/${id}`);
	}

	/** What the editor learns about a node type, e.g. `n8n-nodes-base.webhook`. */
	async nodeType(name: string): Promise<NodeTypeDescription> {
		const body = { nodeInfos: [{ name, version: 1 }] };
		const [description] = await this.rest.call(nodeTypesSchema, 'POST', '/node-types', body);
		return description;
	}

	/** All stored executions of a workflow, oldest first. */
	async executions(workflowId: string): Promise<ExecutionSummary[]> {
		const filter = encodeURIComponent(JSON.stringify({ workflowId }));
		const all: ExecutionSummary[] = [];
		for (let next: string | undefined = ''; next !== undefined; ) {
			const { results, nextCursor }: ExecutionPage = await this.rest.call(
				executionListSchema,
				'GET',
				`/executions?limit=${LIST_PAGE}&filter=${filter}${next}`,
			);
			const known = new Set(all.map(({ id }) => id));
			const fresh = results.filter(({ id }) => !known.has(id));
			all.push(...fresh);
			const isLast = fresh.length === 0 || results.length < LIST_PAGE;
			if (isLast || nextCursor === null) next = undefined;
			else next = nextCursor ? `&cursor=${nextCursor}` : `&lastId=${all.at(-1)?.id ?? ''}`;
		}
		return all.sort((a, b) => Number(a.id) - Number(b.id));
	}

	/** One execution with what its nodes put out (see `outputOf`). */
	async execution(id: string): Promise<Execution> {
		return await this.rest.call(executionSchema, 'GET', `/executions/${id}`);
	}

	/**
	 * Waits until at least `count` executions of a workflow have ended, with whatever status.
	 *
	 * @param mode counts only those that n8n started so, e.g. `webhook`
	 * @returns all its executions, oldest first
	 * @throws HostError when the time is over
	 */
	async waitForExecutions(
		workflowId: string,
		count: number,
		timeoutMs = 30_000,
		mode?: string,
	): Promise<ExecutionSummary[]> {
		let seen: ExecutionSummary[] = [];
		const what = () =>
			`${count} finished executions; there are: ${seen.map(({ status }) => status).join(', ') || 'none'}`;
		try {
			return await until(what, timeoutMs, async () => {
				const all = await this.executions(workflowId);
				seen = mode === undefined ? all : all.filter((one) => one.mode === mode);
				const finished = seen.filter(({ status }) => !UNFINISHED.has(status));
				return finished.length >= count && finished.length === seen.length ? seen : undefined;
			});
		} catch (error) {
			if (error instanceof DeadlineError) throw new HostError(error.message, 0);
			throw error;
		}
	}

	/** The local address of a production webhook, e.g. of `<webhookId>/<path of the node>`. */
	webhookUrl(path: string): string {
		return `${this.url}/webhook/${path}`;
	}

	/** The local address of a test webhook. */
	testWebhookUrl(path: string): string {
		return `${this.url}/webhook-test/${path}`;
	}

	/** Where to deliver on this machine what is meant for a public-looking URL n8n registered. */
	toLocalUrl(registered: string): string {
		const { pathname, search } = new URL(registered);
		return `${this.url}${pathname}${search}`;
	}

	/** Everything n8n has printed, of all starts. */
	log(): string {
		return readFileSync(logFileIn(this.userFolder), 'utf8');
	}

	/** Stops n8n if it runs and starts it again on the same user folder and port. */
	async restart(options: RestartOptions = {}): Promise<void> {
		await this.ownProcess.stop();
		const { webhookUrl = this.settings.webhookUrl } = options;
		const env = { ...this.settings.env, ...publicationSetting(options), ...options.env };
		const host = options.pin === undefined ? this.settings.host : await locateN8n(options.pin);
		this.settings = { ...this.settings, host, webhookUrl, env };
		this.process = await N8nProcess.start(this.settings);
		this.rest = new RestClient(this.url);
		await this.signIn();
	}

	/** Stops n8n, unless something else has started it; removes the user folder unless it was given to `startN8n`. */
	async stop(): Promise<void> {
		await this.process?.stop();
		if (this.settings.removeFolderOnDeath) {
			await rm(this.userFolder, { recursive: true, force: true });
		}
	}

	/** Ends n8n at once as a crash would (SIGKILL). The user folder stays, for `restart` or `stop`. */
	async kill(): Promise<void> {
		await this.ownProcess.kill();
	}

	private get ownProcess(): N8nProcess {
		if (this.process !== undefined) return this.process;
		throw new HostError('This n8n was started by something else', 0);
	}

	/** Waits for n8n's publication service; without it n8n has done its work before answering. */
	private async settled(id: string): Promise<void> {
		if (!this.hasPublicationService) return;
		const publication = await until('n8n to publish the workflow', PUBLISH_MS, async () => {
			const path = `/workflows/${id}/publication-status`;
			const answer = await this.rest.call(publicationSchema, 'GET', path);
			return answer.status === 'in_progress' ? undefined : answer;
		});
		const failed = publication.triggers.filter(({ status }) => status === 'failed');
		if (failed.length === 0) return;
		const messages = failed.map(({ errorMessage }) => errorMessage ?? 'no message');
		throw new HostError(messages.join('; '), 0, undefined, publication);
	}

	private get hasPublicationService(): boolean {
		return !this.version.startsWith('1.') && this.settings.env[PUBLICATION_SERVICE] !== 'false';
	}
}

const GRID = 220;
const TRIGGER_OF_OURS = /^n8n-nodes-misar-metigan\.\w+Trigger$/;

function complete(nodes: WorkflowDefinition['nodes']): object[] {
	return nodes.map((node, index) => ({
		id: randomUUID(),
		position: [index * GRID, 0],
		typeVersion: TRIGGER_OF_OURS.test(node.type) ? 2 : 1,
		parameters: {},
		...node,
	}));
}
