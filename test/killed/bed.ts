import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll } from '@jest/globals';

import { chain, type N8nHost, type RestartOptions } from '../../testkit/n8n-host/driver';
import { PACKAGE, SECRET } from '../../testkit/publishTrigger';
import { misarMail as trigger } from '../../testkit/triggers';
import { Collector, type Imported, type Row, type TemplateHost } from '../e2e/templateHost';
import { OtherSystem } from './otherSystem';
import { countRuns, type Query } from './runs';
import { Senders } from './senders';

const TEMPLATE = 'run-crashed-executions-again';
const SCHEDULE = 'Every 5 Minutes';

/** An n8n to kill, and its database. */
export interface Place {
	readonly host: TemplateHost;
	readonly query: Query;
	stop(): Promise<void>;
}

/** A published workflow whose runs call the other system, and those who send it events. */
export interface Work {
	readonly id: string;
	readonly senders: Senders;
}

/** What the tests of a file work with: an n8n, what its runs call, and the chat that the template tells. */
export class KilledBed {
	private constructor(
		readonly place: Place,
		readonly other: OtherSystem,
		readonly chat: Collector,
		private readonly chatAddress: string,
	) {}

	static async open(openPlace: () => Promise<Place>): Promise<KilledBed> {
		const other = await OtherSystem.start();
		const chat = new Collector();
		const address = await chat.open();
		try {
			return new KilledBed(await openPlace(), other, chat, address);
		} catch (error) {
			await Promise.all([other.close(), chat.close()]);
			throw error;
		}
	}

	async close(): Promise<void> {
		await this.place.stop();
		await Promise.all([this.other.close(), this.chat.close()]);
	}

	get n8n(): N8nHost {
		return this.place.host.n8n;
	}

	/** @param settings - of the workflow, e.g. what n8n saves of its executions */
	async publishWork(settings: Record<string, string> = {}): Promise<Work> {
		const { title, credential: type } = trigger;
		const account = {
			product: 'mail',
			baseUrl: this.place.host.sandbox.url,
			signingSecret: SECRET,
		};
		const credential = await this.n8n.createCredential(title, type, account);
		const webhookId = randomUUID();
		const call = (name: string, url: string) => ({
			name,
			type: 'n8n-nodes-base.httpRequest',
			typeVersion: 4.2,
			parameters: { method: 'POST', url },
		});
		const { id } = await this.n8n.createWorkflow({
			name: 'Work',
			nodes: [
				{
					name: 'Trigger',
					type: `${PACKAGE}.${trigger.node}`,
					webhookId,
					parameters: { product: 'mail', registration: 'manual', events: [trigger.events[0]] },
					credentials: { [type]: { id: credential, name: title } },
				},
				call('Work', this.other.url('work', '{{ $json.deliveryId }}')),
				// What came before the node that the kill cut short has to be there in the second run.
				call('Done', this.other.url('done', "{{ $('Trigger').item.json.deliveryId }}")),
			],
			connections: chain('Trigger', 'Work', 'Done'),
			settings,
		});
		await this.n8n.publish(id);
		const url = this.n8n.webhookUrl(`${webhookId}/${trigger.path}`);
		return { id, senders: new Senders(this.n8n, trigger, url) };
	}

	/** @returns how many runs of the workflow were under way */
	async killAndRestart({ id }: Work, options: RestartOptions = {}): Promise<number> {
		await this.n8n.kill();
		const running = await countRuns(this.place.query, id, 'running');
		await this.n8n.restart(options);
		return running;
	}

	/** Publishes the template, for some workflows or for all. */
	async publishTemplate(maxAttempts: number, ...works: readonly Work[]): Promise<Imported> {
		return await this.place.host.publish(TEMPLATE, {
			n8nUrl: `${this.n8n.url}/`,
			workflowIds: works.map(({ id }) => id).join(' , '),
			maxAttempts,
			chatWebhookUrl: `${this.chatAddress}/hook`,
		});
	}

	/** Has the published template start every second rather than every five minutes. */
	async startEverySecond({ id }: Imported): Promise<void> {
		const { nodes } = await this.n8n.getWorkflow(id);
		const rule = { interval: [{ field: 'seconds', secondsInterval: 1 }] };
		await this.n8n.updateWorkflow(id, {
			nodes: nodes.map((node) =>
				node.name === SCHEDULE ? { ...node, parameters: { rule } } : node,
			),
		});
		await this.n8n.publish(id);
	}

	/** What the template does when its time comes. */
	async pass(template: Imported): Promise<void> {
		await this.place.host.run(template, SCHEDULE);
	}

	/** What the template knows of the crashed runs of a workflow. */
	async notes({ id }: Work): Promise<Row[]> {
		const rows = await this.place.host.rows('crashed_executions');
		return rows.filter((row) => row['workflow_id'] === id);
	}
}

/** Opens it before the tests of the file that calls this, and closes it after them. */
export function killedBed(openPlace: () => Promise<Place>): () => KilledBed {
	let bed: KilledBed | undefined;
	beforeAll(async () => {
		bed = await KilledBed.open(openPlace);
	}, 600_000);
	afterAll(async () => await bed?.close(), 120_000);
	return () => {
		if (bed === undefined) throw new Error('It is there only while a test runs');
		return bed;
	};
}
