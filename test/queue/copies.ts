import { once } from 'node:events';
import http from 'node:http';
import { json } from 'node:stream/consumers';

import { z } from 'zod';

import { buildDelivery } from '../../sandbox';
import { until } from '../../testkit/n8n-host/poll';
import type { Cluster } from '../../testkit/queue/cluster';
import { accountOf, publishTrigger, SECRET } from '../../testkit/publishTrigger';
import type { TriggerCase } from '../../testkit/triggers';

type Delivery = ReturnType<typeof buildDelivery>;

const ACCEPTED_MS = 60_000;

const answerSchema = z.object({ received: z.literal(true), duplicate: z.boolean().default(false) });

/** Deliveries of one provider, each of which can be sent again unchanged. */
export class Deliveries {
	private constructor(
		readonly workflowId: string,
		private readonly url: string,
		private readonly deliveries: readonly Delivery[],
	) {}

	/**
	 * Publishes a trigger for them, in a workflow without any other check for duplicates.
	 *
	 * @param entrance - the origin that takes deliveries
	 * @param scheme - of the sandbox
	 */
	static async prepare(
		{ main: n8n, sandbox }: Cluster,
		entrance: string,
		trigger: TriggerCase,
		scheme: string,
		count: number,
	): Promise<Deliveries> {
		const account = accountOf(trigger, 'manual', sandbox);
		const bed = { n8n, sandbox };
		const { workflowId, webhookUrl } = await publishTrigger(bed, trigger, 'manual', account);
		const { provider, events } = trigger;
		const built = Array.from({ length: count }, (_, index) =>
			buildDelivery({ provider, event: events[0], id: `evt_${index}`, scheme, secret: SECRET }),
		);
		return new Deliveries(workflowId, `${entrance}${new URL(webhookUrl).pathname}`, built);
	}

	/** Sends each, and hangs up when the answer begins: the sender cannot know that it was accepted. */
	async sendUnheard(): Promise<void> {
		for (const delivery of this.deliveries) (await this.untilAccepted(delivery)).destroy();
	}

	/** Sends each once more. @returns how many were answered as duplicates of what had been accepted */
	async sendAgain(): Promise<number> {
		let duplicates = 0;
		for (const delivery of this.deliveries) {
			const answer = await json(await this.untilAccepted(delivery));
			if (answerSchema.parse(answer).duplicate) duplicates += 1;
		}
		return duplicates;
	}

	/** Sends it as a provider does, until it is accepted. */
	private async untilAccepted(delivery: Delivery): Promise<http.IncomingMessage> {
		return await until('a delivery to be accepted', ACCEPTED_MS, async () => {
			const response = await this.post(delivery);
			if (response.statusCode === 200) return response;
			response.destroy();
			return undefined;
		});
	}

	private async post({ headers, body }: Delivery): Promise<http.IncomingMessage> {
		const request = http.request(this.url, { method: 'POST', headers, agent: false });
		request.end(body);
		const [response]: http.IncomingMessage[] = await once(request, 'response');
		if (response === undefined) throw new Error('There is no response');
		return response;
	}
}
