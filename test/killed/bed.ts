import { randomUUID } from 'node:crypto';

import { afterAll, beforeAll } from '@jest/globals';
import { z } from 'zod';

import {
	chain,
	type N8nHost,
	type NodeDefinition,
	type RestartOptions,
} from '../../testkit/n8n-host/driver';
import { SECRET, triggerNode } from '../../testkit/publishTrigger';
import { misarMail as trigger } from '../../testkit/triggers';
import { Collector, type Imported, type Row, type TemplateHost } from '../e2e/templateHost';
import { readTemplate, type Settings } from '../e2e/templateFiles';
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

/** A published workflow whose runs call the other system, and the senders of its events. */
export interface Work {
	readonly id: string;
	readonly senders: Senders;
}

/** What the tests of a file use: an n8n, the system that its runs call, and the chat of the template. */
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

	/**
	 * @param settings - of the workflow, e.g. what n8n saves of its executions
	 * @param end - what its runs end with: they tell the other system, or wait for a call
	 */
	async publishWork(
		settings: Record<string, string> = {},
		end: 'tell' | 'wait' = 'tell',
	): Promise<Work> {
		const { title, credential: type } = trigger;
		const account = {
			product: 'mail',
			baseUrl: this.place.host.sandbox.url,
			signingSecret: SECRET,
		};
		const credential = await this.n8n.createCredential(title, type, account);
		const webhookId = randomUUID();
		const waiting: NodeDefinition = {
			name: 'End',
			type: 'n8n-nodes-base.wait',
			typeVersion: 1.1,
			webhookId: randomUUID(),
			parameters: { resume: 'webhook' },
		};
		const { id } = await this.n8n.createWorkflow({
			name: 'Work',
			nodes: [
				triggerNode(
					trigger,
					credential,
					{ registration: 'manual', events: [trigger.events[0]] },
					{ webhookId },
				),
				this.call('Work', 'work', '{{ $json.deliveryId }}'),
				// The second run has to have the data from before the node that the kill interrupted.
				end === 'wait'
					? waiting
					: this.call('End', 'done', "{{ $('Trigger').item.json.deliveryId }}"),
			],
			connections: chain('Trigger', 'Work', 'End'),
			settings,
		});
		await this.n8n.publish(id);
		const url = this.n8n.webhookUrl(`${webhookId}/${trigger.path}`);
		return { id, senders: new Senders(this.n8n, trigger, url) };
	}

	/** Starts a manual run, as in the editor, that works on `about`. */
	async runByHand(about: string): Promise<void> {
		const { id } = await this.n8n.createWorkflow({
			name: 'By hand',
			nodes: [
				{ name: 'Start', type: 'n8n-nodes-base.manualTrigger' },
				this.call('Work', 'work', about),
			],
			connections: chain('Start', 'Work'),
		});
		await this.n8n.runByHand(id, { triggerToStartFrom: { name: 'Start' } });
	}

	/** @returns how many runs of the workflow were under way */
	async killAndRestart({ id }: Work, options: RestartOptions = {}): Promise<number> {
		await this.n8n.kill();
		const running = await countRuns(this.place.query, id, 'running');
		await this.n8n.restart(options);
		return running;
	}

	/** Imports the template, for some workflows or for all. It is not published: no pass starts by itself. */
	async importTemplate(settings: Settings, ...works: readonly Work[]): Promise<Imported> {
		const file = readTemplate(TEMPLATE, {
			n8nUrl: `${this.n8n.url}/`,
			workflowIds: works.map(({ id }) => id).join(' , '),
			chatWebhookUrl: `${this.chatAddress}/hook`,
			...settings,
		});
		return await this.place.host.import(file);
	}

	/** Publishes the template so that it starts every second rather than every five minutes, and reads short pages. */
	async publishQuick({ id }: Imported): Promise<void> {
		const { nodes } = await this.n8n.getWorkflow(id);
		const rule = { interval: [{ field: 'seconds', secondsInterval: 1 }] };
		const shortPages = (parameters: unknown) =>
			z.record(z.unknown()).parse(JSON.parse(JSON.stringify(parameters).replace('"250"', '"10"')));
		await this.n8n.updateWorkflow(id, {
			nodes: nodes.map((node) => {
				if (node.name === SCHEDULE) return { ...node, parameters: { rule } };
				if (node.name !== 'Crashed') return node;
				return { ...node, parameters: shortPages(node['parameters']) };
			}),
		});
		await this.n8n.publish(id);
	}

	/** One scheduled run of the template. */
	async pass(template: Imported): Promise<void> {
		await this.place.host.run(template, SCHEDULE);
	}

	/** What the template knows of the crashed runs of a workflow. */
	async notes({ id }: { readonly id: string }): Promise<Row[]> {
		const rows = await this.place.host.rows('crashed_executions');
		return rows.filter((row) => row['workflow_id'] === id);
	}

	/** A node that calls the other system. */
	private call(name: string, what: 'work' | 'done', about: string): NodeDefinition {
		const parameters = { method: 'POST', url: this.other.url(what, about) };
		return { name, type: 'n8n-nodes-base.httpRequest', typeVersion: 4.2, parameters };
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
