import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import type { INodeTypeDescription } from 'n8n-workflow';
import { z } from 'zod';

import type { ProviderId, Sandbox } from '../../sandbox';
import * as loopback from '../../testkit/loopback';
import type { N8nHost, N8nHostOptions } from '../../testkit/n8n-host/driver';
import { until } from '../../testkit/n8n-host/poll';
import { ORIGIN, PACKAGE, SECRET } from '../../testkit/publishTrigger';
import { RestClient } from '../../testkit/n8n-host/rest';
import { readTemplate, type Settings, type Template, type TemplateNode } from './templateFiles';
import { startBed } from '../useN8n';

/** Long, because the machine may be slow. */
const WAIT_MS = 60_000;
const ROWS_PAGE = 100;

/** The credential that the nodes of the package need, and the account it is for. */
const ACCOUNTS: Readonly<Record<string, { type: string; provider: ProviderId }>> = {
	misar: { type: 'misarApi', provider: 'misar.mail' },
	misarTrigger: { type: 'misarApi', provider: 'misar.mail' },
	misarBlog: { type: 'misarBlogApi', provider: 'misarBlog' },
	misarBlogTrigger: { type: 'misarBlogApi', provider: 'misarBlog' },
	mailPanda: { type: 'mailPandaApi', provider: 'mailPanda' },
	mailPandaTrigger: { type: 'mailPandaApi', provider: 'mailPanda' },
	metigan: { type: 'metiganApi', provider: 'metigan' },
	metiganTrigger: { type: 'metiganApi', provider: 'metigan' },
};

const tableList = z.object({ data: z.array(z.object({ id: z.string(), name: z.string() })) });
const rowList = z.object({ data: z.array(z.record(z.unknown())) });
const nodeTypeSchema = z.custom<INodeTypeDescription>(
	(value) => z.object({ properties: z.array(z.unknown()) }).safeParse(value).success,
);

/** A row of a Data Table. */
export type Row = Record<string, unknown>;

/** A template in n8n, set up as its notes say. */
export interface Imported {
	readonly id: string;
	readonly template: Template;
}

/** A request that came to a {@link Collector}. */
export interface Collected {
	readonly method: string;
	readonly path: string;
	readonly headers: IncomingMessage['headers'];
	readonly body: unknown;
}

/** The other system of a template, e.g. a CRM: takes every request and remembers it. */
export class Collector {
	readonly requests: Collected[] = [];

	/** What it answers, as JSON. */
	body: unknown = {};

	/** Statuses of the next answers; 200 when there are none left. */
	statuses: number[] = [];

	private readonly server: Server = createServer((request, response) => {
		void text(request).then((body) => {
			const { method = '', url: path = '', headers } = request;
			this.requests.push({ method, path, headers, body: body === '' ? null : JSON.parse(body) });
			response.writeHead(this.statuses.shift() ?? 200, { 'content-type': 'application/json' });
			response.end(JSON.stringify(this.body));
		});
	});

	/** Its address; listens on the loopback address from the first call. */
	async open(): Promise<string> {
		return await loopback.listen(this.server);
	}

	async close(): Promise<void> {
		await loopback.stop(this.server);
	}
}

/** What n8n's editor gives to each node with a webhook that it imports; the node's own id serves here. */
function withWebhookIds(template: Template): Template {
	const [first, ...others] = template.nodes;
	const imported = (node: TemplateNode): TemplateNode => {
		const { id, parameters, type } = node;
		if (!/(Trigger|\.webhook)$/.test(type)) return node;
		return {
			...node,
			webhookId: id,
			parameters: parameters['path'] === '' ? { ...parameters, path: id } : parameters,
		};
	};
	return { ...template, nodes: [imported(first), ...others.map(imported)] };
}

/** A real n8n with the package and the sandbox, to import templates into as a user does. */
export class TemplateHost {
	private constructor(
		readonly n8n: N8nHost,
		readonly sandbox: Sandbox,
		readonly stop: () => Promise<void>,
		private readonly rest: RestClient,
		private readonly projectId: string,
	) {}

	/** @param options - what n8n is started with besides the package */
	static async start(options: Pick<N8nHostOptions, 'env' | 'fresh'> = {}): Promise<TemplateHost> {
		const { n8n, sandbox, stop } = await startBed(options);
		const rest = new RestClient(n8n.url);
		const { email, password } = n8n.owner;
		await rest.call(z.unknown(), 'POST', '/login', { emailOrLdapLoginId: email, password });
		const project = await rest.call(z.object({ id: z.string() }), 'GET', '/projects/personal');
		return new TemplateHost(n8n, sandbox, stop, rest, project.id);
	}

	/** What the editor is told of a node type in one of its versions. */
	async nodeType(name: string, version: number): Promise<INodeTypeDescription> {
		const body = { nodeInfos: [{ name, version }] };
		const found = await this.rest.call(z.array(nodeTypeSchema), 'POST', '/node-types', body);
		const [description] = found;
		if (description === undefined) throw new Error(`n8n has no node type ${name} ${version}`);
		return description;
	}

	/**
	 * Imports a template, does what its notes tell the user to do, and publishes it.
	 *
	 * @param settings - see {@link readTemplate}
	 * @param chosen - credentials of other nodes, by the name of the node
	 */
	async publish(
		name: string,
		settings: Settings = {},
		chosen: Record<string, { type: string; data: object }> = {},
	): Promise<Imported> {
		const imported = await this.import(readTemplate(name, settings), chosen);
		await this.n8n.publish(imported.id);
		return imported;
	}

	/** The same without publishing it. */
	async import(
		file: Template,
		chosen: Record<string, { type: string; data: object }> = {},
	): Promise<Imported> {
		const template = withWebhookIds(file);
		const nodes = [];
		for (const node of template.nodes) {
			const wanted = chosen[node.name] ?? (await this.account(node));
			if (wanted === undefined) {
				nodes.push(node);
				continue;
			}
			const title = `${template.name}: ${node.name}`;
			const id = await this.n8n.createCredential(title, wanted.type, wanted.data);
			nodes.push({ ...node, credentials: { [wanted.type]: { id, name: title } } });
		}
		const { id } = await this.n8n.createWorkflow({ ...template, nodes });
		return { id, template };
	}

	/**
	 * "Execute workflow" from one trigger, as the editor does it; returns when the run has ended.
	 *
	 * @returns the id of the execution
	 */
	async run({ id }: Imported, trigger: string): Promise<string> {
		const started = z.object({ executionId: z.string() });
		const body = { triggerToStartFrom: { name: trigger } };
		const { executionId } = await this.rest.call(started, 'POST', `/workflows/${id}/run`, body);
		await until(`the run from "${trigger}" to end`, WAIT_MS, async () => {
			const runs = await this.n8n.executions(id);
			const status = runs.find((run) => run.id === executionId)?.status;
			return status === 'success' || status === 'error' ? status : undefined;
		});
		return executionId;
	}

	/** Waits for the runs that deliveries start, and for those that were started by hand. */
	async finished(imported: Imported, count: number): Promise<void> {
		const found = await this.n8n.waitForExecutions(imported.id, count, WAIT_MS);
		const statuses = found.map(({ status }) => status);
		if (found.length !== count || statuses.some((status) => status !== 'success')) {
			const last = await this.n8n.execution(found.at(-1)?.id ?? '');
			throw new Error(`${statuses.join(', ')}: ${last.data.resultData.error?.message ?? ''}`);
		}
	}

	/** The rows of a Data Table, oldest first. */
	async rows(table: string): Promise<Row[]> {
		const found = (await this.tables()).filter(({ name }) => name === table);
		if (found.length !== 1) throw new Error(`There are ${found.length} tables named ${table}`);
		const path = `${this.tablesPath}/${found[0]?.id ?? ''}/rows?take=${ROWS_PAGE}&sortBy=id:asc`;
		const rows: Row[] = [];
		for (let page: Row[] | undefined; page === undefined || page.length === ROWS_PAGE; ) {
			page = (await this.rest.call(rowList, 'GET', `${path}&skip=${rows.length}`)).data;
			rows.push(...page);
		}
		return rows;
	}

	/** All Data Tables. */
	async tables(): Promise<Array<{ id: string; name: string }>> {
		return (await this.rest.call(tableList, 'GET', `${this.tablesPath}?take=100`)).data;
	}

	/** Makes a Data Table, as a user does. */
	async createTable(name: string): Promise<void> {
		const columns = [{ name: 'note', type: 'string' }];
		await this.rest.call(z.unknown(), 'POST', this.tablesPath, { name, columns });
	}

	/** Removes all Data Tables. */
	async dropTables(): Promise<void> {
		for (const { id } of await this.tables()) {
			await this.rest.call(z.unknown(), 'DELETE', `${this.tablesPath}/${id}`);
		}
	}

	/** The address n8n registers, or the user pastes, for a trigger of an imported template. */
	webhookUrl({ template }: Imported, trigger: string, path: string): string {
		const node = template.nodes.find(({ name }) => name === trigger);
		return `${ORIGIN}/webhook/${node?.webhookId ?? ''}/${path}`;
	}

	private get tablesPath(): string {
		return `/projects/${this.projectId}/data-tables`;
	}

	private async account({
		type: nodeType,
		parameters,
	}: TemplateNode): Promise<{ type: string; data: object } | undefined> {
		if (parameters['nodeCredentialType'] === 'n8nApi') return await this.ownApi();
		const [source, node = ''] = nodeType.split('.');
		const account = source === PACKAGE ? ACCOUNTS[node] : undefined;
		if (account === undefined) return undefined;
		const { type, provider } = account;
		// Mail registers by itself and makes a secret for each trigger; the others are pasted by hand.
		const byHand = ['misarBlog', 'metigan'].includes(provider);
		const data = {
			baseUrl: this.sandbox.url,
			apiKey: this.sandbox.keys[provider],
			...(type === 'misarApi' && { product: 'mail' }),
			...(byHand && { signingSecret: SECRET }),
		};
		return { type, data };
	}

	/** For a template that asks n8n itself. */
	private async ownApi(): Promise<{ type: string; data: object }> {
		const apiKey = await this.n8n.createApiKey(randomUUID(), ['execution:list', 'execution:retry']);
		return { type: 'n8nApi', data: { apiKey, baseUrl: `${this.n8n.url}/api/v1` } };
	}
}
