import { createServer, type Server } from 'node:http';
import { json } from 'node:stream/consumers';

import { z } from 'zod';

import type { FireInput, Sandbox } from '../sandbox';
import { listen, originOf } from '../testkit/loopback';
import { chain, type N8nHost } from '../testkit/n8n-host/driver';
import { SECRET, triggerNode } from '../testkit/publishTrigger';
import type { TriggerCase } from '../testkit/triggers';

/** Kinds of deliveries that an event may have. */
const KINDS = ['delivered', 'duplicated', 'refused', 'unreachable', 'unknown', 'late'] as const;

/** The events of Metigan that can be recovered. */
export const EMAIL_EVENTS = ['email.bounced', 'email.complained', 'email.unsubscribed'];

/** An event, and what becomes of its delivery. */
export interface MixedEvent {
	/** The address or the article it is about. */
	readonly about: string;
	readonly kind: (typeof KINDS)[number];
	readonly input: FireInput;
}

/** Counts which events have run, whatever process of n8n ran them. */
export class RunCounter {
	/** Ids of the workflows that were published. */
	readonly workflows: string[] = [];
	/** How often each event has run, by what it is about. */
	readonly ran = new Map<string, number>();
	/** Leaves runs without an answer, until n8n is killed. */
	holdsAnswers = false;

	private readonly server: Server = createServer((request, response) => {
		void json(request).then((body) => {
			const { about } = z.object({ about: z.string() }).parse(body);
			this.ran.set(about, (this.ran.get(about) ?? 0) + 1);
			if (!this.holdsAnswers) response.end('{}');
		});
	});

	async start(): Promise<void> {
		await listen(this.server);
	}

	stop(): void {
		this.server.close();
		this.server.closeAllConnections();
	}

	/** Publishes a workflow that recovers missed events and has them counted. @returns its webhook URL */
	async publish(
		n8n: N8nHost,
		origin: string,
		trigger: TriggerCase,
		account: Sandbox,
		events: readonly string[],
		options: Record<string, unknown> = {},
	): Promise<string> {
		const webhookId = crypto.randomUUID();
		const credential = await n8n.createCredential(trigger.title, trigger.credential, {
			baseUrl: account.url,
			apiKey: account.keys[trigger.provider],
			signingSecret: SECRET,
		});
		const { id } = await n8n.createWorkflow({
			name: trigger.title,
			nodes: [
				triggerNode(
					trigger,
					credential,
					{
						registration: 'manual',
						events: [...events],
						options: { recoverMissed: true, checkInterval: 1, toleranceSeconds: 0, ...options },
					},
					{ webhookId },
				),
				{
					name: 'Count',
					type: 'n8n-nodes-base.httpRequest',
					typeVersion: 4.2,
					parameters: {
						method: 'POST',
						url: originOf(this.server),
						sendBody: true,
						bodyParameters: {
							parameters: [
								{ name: 'about', value: '={{ $json.recipient ?? $json.data.article.id }}' },
							],
						},
					},
				},
			],
			connections: chain('Trigger', 'Count'),
		});
		await n8n.publish(id);
		this.workflows.push(id);
		return `${origin}/webhook/${webhookId}/${trigger.path}`;
	}
}

/** Events of one provider that happen now, of every kind in turn. */
export function mixedEvents(
	provider: 'metigan' | 'misarBlog',
	url: string,
	count: number,
): MixedEvent[] {
	return Array.from({ length: count }, (_, index) => {
		const about = provider === 'metigan' ? `${index}@example.com` : `art-${index}`;
		const event = provider === 'metigan' ? (EMAIL_EVENTS[index % 3] ?? '') : 'article.published';
		const data =
			event === 'email.unsubscribed' ? { email: about } : { recipient: about, bounceType: 'hard' };
		const input: FireInput = {
			...{ provider, event, url, secret: SECRET, timestampMs: Date.now() },
			...(provider === 'metigan' ? { id: `m${index}`, data } : { id: about }),
		};
		return { about, kind: KINDS[Math.floor(index / 3) % KINDS.length] ?? 'late', input };
	});
}

/** Lets events of some kinds happen, one after the other. */
export async function letHappen(
	sandbox: Sandbox,
	events: readonly MixedEvent[],
	...kinds: ReadonlyArray<MixedEvent['kind']>
): Promise<void> {
	for (const { kind, input } of events.filter((event) => kinds.includes(event.kind))) {
		await sandbox.fire(asDelivered(kind, input));
	}
}

function asDelivered(kind: MixedEvent['kind'], input: FireInput): FireInput {
	switch (kind) {
		case 'duplicated':
			return { ...input, copies: 2 };
		case 'refused':
			return { ...input, secret: 'of the past', retry: false };
		case 'unreachable':
			return { ...input, retry: false };
		case 'delivered':
		case 'unknown':
		case 'late':
			return input;
	}
}

/** The same events, but without a receiver. */
export function untold(events: readonly MixedEvent[]): MixedEvent[] {
	return events.map(({ input, ...event }) => {
		const { provider, event: name, id = '', data, timestampMs = 0 } = input;
		return { ...event, input: { provider, event: name, id, data, timestampMs } };
	});
}
