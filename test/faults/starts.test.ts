import { beforeAll, describe, expect, it } from '@jest/globals';
import { z } from 'zod';

import type { Sandbox } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { FEW_ISOLATES } from '../../testkit/n8n-host/isolates';
import { until } from '../../testkit/n8n-host/poll';
import { accountOf, storeTrigger, type TriggerWorkflow } from '../../testkit/publishTrigger';
import { misarMail, misarPost, misarReach } from '../../testkit/triggers';
import { useN8n } from '../useN8n';
import { modes } from './modes';

/** What a start of n8n waits for, and what it repairs. */

const TRIGGERS = 10;
/** More than a busy machine adds; a provider that a start waits for adds ten seconds for each call. */
const LATER_MS = 5_000;
/** On a busy machine a start takes longer now and then: one that is in time shows that nothing waits. */
const STARTS = 3;
const RAN_MS = 240_000;
const THERE_AGAIN_MS = 60_000;
/** For what n8n itself does between its log entry and the first activation. */
const MARGIN_MS = 15_000;

const entrySchema = z.object({
	message: z.string(),
	metadata: z.object({ timestamp: z.coerce.date() }).partial().optional(),
});

describe.each(modes)('$name', ({ publicationService }) => {
	const workflows: TriggerWorkflow[] = [];
	const schedules: string[] = [];
	let n8n: N8nHost;
	let sandbox: Sandbox;

	useN8n((bed) => ({ n8n, sandbox } = bed), {
		// So that log entries have times.
		env: { ...FEW_ISOLATES, N8N_LOG_FORMAT: 'json' },
		publicationService,
	});

	beforeAll(async () => {
		// n8n activates workflows in the order in which they were made, or in another one.
		schedules.push(await publishSchedule());
		const triggers = [misarMail, misarReach, misarPost];
		for (let index = 0; index < TRIGGERS; index += 1) {
			const trigger = triggers[index % triggers.length] ?? misarMail;
			const account = accountOf(trigger, 'automatic', sandbox);
			const options = { options: { checkInterval: 1 } };
			const bed = { n8n, sandbox };
			workflows.push(await storeTrigger(bed, trigger, 'automatic', account, options));
		}
		schedules.push(await publishSchedule());
	}, 600_000);

	async function publishSchedule(): Promise<string> {
		const { id } = await n8n.createWorkflow({
			name: 'Every second',
			nodes: [
				{
					name: 'Schedule Trigger',
					type: 'n8n-nodes-base.scheduleTrigger',
					typeVersion: 1.2,
					parameters: { rule: { interval: [{ field: 'seconds', secondsInterval: 1 }] } },
				},
				{ name: 'After', type: 'n8n-nodes-base.noOp' },
			],
			connections: { 'Schedule Trigger': { main: [[{ node: 'After', type: 'main', index: 0 }]] } },
		});
		await n8n.publish(id);
		return id;
	}

	/** Epoch milliseconds at which n8n last began to listen, before it activates anything. */
	function lastStart(): number {
		const times = n8n
			.log()
			.split('\n')
			.filter((line) => line.includes('n8n ready on'))
			.map((line) => entrySchema.parse(JSON.parse(line)).metadata?.timestamp?.getTime() ?? 0);
		return times.at(-1) ?? 0;
	}

	/** Restarts n8n. @returns milliseconds until the last of the schedules had its first run */
	async function firstRuns(): Promise<number> {
		await n8n.restart();
		const start = lastStart();
		const firstOf = async (id: string) => {
			const [first] = (await n8n.executions(id))
				.map(({ startedAt }) => Date.parse(startedAt ?? ''))
				.filter((time) => time >= start);
			return first;
		};
		const times = await Promise.all(
			schedules.map(
				async (id) => await until('a schedule to run', RAN_MS, async () => await firstOf(id)),
			),
		);
		return Math.max(...times) - start;
	}

	const ownEndpoints = () => {
		const urls = new Set(workflows.map(({ webhookUrl }) => webhookUrl));
		return sandbox.endpoints().filter(({ url }) => urls.has(url));
	};

	it('starts schedules in time even if the provider of ten triggers does not answer', async () => {
		const alone = await firstRuns();
		for (const { workflowId } of workflows) await n8n.publish(workflowId);
		sandbox.fault({ kind: 'hang', times: Number.POSITIVE_INFINITY });
		const later: number[] = [];
		while (later.length < STARTS && !later.some((ms) => ms <= LATER_MS)) {
			later.push((await firstRuns()) - alone);
		}
		sandbox.clearFaults();
		expect(Math.min(...later)).toBeLessThanOrEqual(LATER_MS);
	}, 1_200_000);

	it('registers within a minute of its start what was deleted while it was down', async () => {
		sandbox.clearFaults();
		expect(ownEndpoints()).toHaveLength(TRIGGERS);
		for (const id of schedules) await n8n.unpublish(id);
		await n8n.kill();
		for (const { provider, id } of ownEndpoints()) sandbox.removeEndpoint(provider, id);
		await n8n.restart();
		const start = lastStart();
		await until('the endpoints to be there again', 2 * THERE_AGAIN_MS, () =>
			ownEndpoints().length === TRIGGERS ? true : undefined,
		);
		const newest = Math.max(...ownEndpoints().map(({ createdAt }) => Date.parse(createdAt)));
		expect(newest - start).toBeLessThanOrEqual(THERE_AGAIN_MS + MARGIN_MS);
	}, 300_000);
});
