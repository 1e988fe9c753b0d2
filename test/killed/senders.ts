import { randomUUID } from 'node:crypto';

import { buildDelivery } from '../../sandbox';
import type { N8nHost } from '../../testkit/n8n-host/driver';
import { fetchOnNewConnection } from '../../testkit/n8n-host/fetch';
import { isReady } from '../../testkit/n8n-host/startPage';
import { until } from '../../testkit/n8n-host/poll';
import { SECRET } from '../../testkit/publishTrigger';
import type { TriggerCase } from '../../testkit/triggers';
import { startStream, type Stream } from '../faults/loadTraffic';

const SENDERS = 4;
/** A start of n8n on a busy machine. */
const ACCEPT_MS = 240_000;

/** Providers that send each event until it is answered 2xx, through a gate that waits until n8n is ready. */
export class Senders {
	/** Ids of the events that were answered 2xx. */
	readonly accepted = new Set<string>();

	/** @param url - the webhook URL, at n8n's own address */
	constructor(
		private readonly n8n: N8nHost,
		private readonly trigger: TriggerCase,
		private readonly url: string,
	) {}

	/** Sends one new event after the other until it is stopped. */
	start(): Stream {
		return startStream(SENDERS, async () => {
			await this.send();
		});
	}

	/** Sends one new event. @returns its id once it is accepted */
	async send(): Promise<string> {
		const id = `evt_${randomUUID()}`;
		await until(`n8n to accept ${id}`, ACCEPT_MS, async () => {
			const passes = await isReady(this.n8n.url);
			return passes && (await this.deliver(id)) ? true : undefined;
		});
		this.accepted.add(id);
		return id;
	}

	private async deliver(id: string): Promise<boolean> {
		const { provider, events, scheme } = this.trigger;
		const delivery = buildDelivery({ provider, event: events[0], scheme, id, secret: SECRET });
		try {
			const answer = await fetchOnNewConnection(this.url, { method: 'POST', ...delivery });
			await answer.arrayBuffer();
			return answer.ok;
		} catch {
			// It was killed.
			return false;
		}
	}
}
