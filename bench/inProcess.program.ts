/**
 * Run under the pinned n8n's Node by `inProcess.ts`: `webhook()` of every trigger through
 * n8n-core's real WebhookContext, beside what else could verify the same body.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createRequire } from 'node:module';

import type { IDataObject, IWebhookFunctions } from 'n8n-workflow';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import Stripe from 'stripe';

import type * as SecretVault from '../nodes/shared/registration/secretVault';
import { eventParameters, triggerCases, type TriggerCase } from '../testkit/triggers';
import { inProcessInput, type ContenderName, type Measurement } from './inProcess';
import { BenchTrigger, makeExchange, parseAsN8nDoes, type Exchange } from './support/contexts';
import { hmacHex, makeDelivery, type Delivery } from './support/deliveries';
import { loadHostModules } from './support/hostModules';
import { interleave, type Contender } from './support/interleave';

const SECRET = 'whsec_chosen_for_the_bench';

const { place, rounds, sizes, triggers } = inProcessInput.parse(JSON.parse(process.argv[2] ?? ''));
const host = loadHostModules(place);
/** It ships as an ES module only, which `tsx` cannot import into a CommonJS program by its name. */
const octokit: { verify(secret: string, payload: string, signature: string): Promise<boolean> } =
	createRequire(__filename)('../node_modules/@octokit/webhooks-methods/dist-node/index.js');
const { seal } = host.ownModule<typeof SecretVault>('nodes/shared/registration/secretVault.js');

interface Input {
	readonly delivery: Delivery;
	readonly exchange: Exchange;
}

type Named = Contender<Input> & { readonly name: ContenderName };

/**
 * Our trigger as it runs after publishing: where there is an API its secret was made or issued then
 * and is kept sealed, else it is in the credential.
 */
function ownTrigger(trigger: TriggerCase): BenchTrigger {
	const registration = trigger.api === undefined ? 'manual' : 'automatic';
	const apiKey = 'key_of_the_bench';
	const owner = { workflowId: 'wf1', nodeId: 'node1', endpointId: 'endpoint1' };
	const product = trigger.parameters['product'];
	return new BenchTrigger(host, {
		node: host.ownNode(trigger.nodeFile),
		typeName: `n8n-nodes-misar-metigan.${trigger.node}`,
		parameters: { ...trigger.parameters, registration, ...eventParameters(trigger) },
		credential: {
			type: host.ownCredential(trigger.credentialFile),
			data: registration === 'automatic' ? { apiKey } : { signingSecret: SECRET },
		},
		staticData:
			registration === 'manual'
				? {}
				: {
						registration: {
							...owner,
							...(product === undefined ? {} : { product }),
							apiPath: trigger.api?.path ?? '',
							sealedSecret: seal(SECRET, { text: apiKey, typed: false }, owner),
						},
					},
	});
}

const stripeTrigger = new BenchTrigger(host, {
	node: host.baseNode('Stripe/StripeTrigger.node.js'),
	typeName: 'n8n-nodes-base.stripeTrigger',
	parameters: { events: ['*'] },
	staticData: { webhookSecret: SECRET },
});
const githubTrigger = new BenchTrigger(host, {
	node: host.baseNode('Github/GithubTrigger.node.js'),
	typeName: 'n8n-nodes-base.githubTrigger',
	parameters: { owner: 'octocat', repository: 'hello-world', events: ['push'], options: {} },
	staticData: { webhookSecret: SECRET },
});

/** Times a trigger from the raw bytes on: n8n parses the body before it calls any trigger. */
function throughContext(
	name: ContenderName,
	trigger: BenchTrigger,
	headers: (delivery: Delivery) => Record<string, string>,
	contextOf: (exchange: Exchange) => IWebhookFunctions | Promise<IWebhookFunctions>,
): Named {
	return {
		name,
		async prepare({ delivery, exchange }) {
			const { request } = exchange;
			request.headers = { ...request.headers, ...headers(delivery) };
			const context = await contextOf(exchange);
			return async () => {
				parseAsN8nDoes(request);
				if (trigger === stripeTrigger) {
					// It runs only events with a type.
					const body: IDataObject = request.body;
					body['type'] ??= 'bench';
				}
				return (await trigger.call(context)).workflowData !== undefined;
			};
		},
	};
}

function contendersFor(own: BenchTrigger): Named[] {
	const seconds = () => String(Math.floor(Date.now() / 1000));
	const stripeHeader = ({ body }: Delivery) => {
		const t = seconds();
		return `t=${t},v1=${hmacHex(SECRET, `${t}.`, body)}`;
	};
	const githubHeader = ({ body }: Delivery) => `sha256=${hmacHex(SECRET, body)}`;
	const standard = new StandardWebhook(SECRET, { format: 'raw' });
	return [
		{
			name: 'limit',
			prepare({ delivery: { body } }) {
				const signature = Buffer.from(hmacHex(SECRET, body), 'hex');
				return () => {
					const expected = createHmac('sha256', SECRET).update(body).digest();
					return timingSafeEqual(signature, expected) && JSON.parse(body.toString()) !== null;
				};
			},
		},
		{
			name: 'context set-up',
			prepare({ exchange }) {
				return () => own.context(exchange) !== undefined;
			},
		},
		throughContext(
			'webhook()',
			own,
			() => ({}),
			(exchange) => own.context(exchange),
		),
		throughContext(
			'own work',
			own,
			() => ({}),
			(exchange) => own.answeredContext(exchange),
		),
		throughContext(
			'core Stripe Trigger',
			stripeTrigger,
			(delivery) => ({ 'stripe-signature': stripeHeader(delivery) }),
			(exchange) => stripeTrigger.context(exchange),
		),
		throughContext(
			'core GitHub Trigger',
			githubTrigger,
			(delivery) => ({ 'x-hub-signature-256': githubHeader(delivery) }),
			(exchange) => githubTrigger.context(exchange),
		),
		{
			name: 'stripe',
			prepare({ delivery }) {
				const header = stripeHeader(delivery);
				return () => Stripe.webhooks.constructEvent(delivery.body, header, SECRET) !== null;
			},
		},
		{
			name: '@octokit/webhooks-methods',
			prepare({ delivery }) {
				const header = githubHeader(delivery);
				return async () => {
					const text = delivery.body.toString();
					return (await octokit.verify(SECRET, text, header)) && JSON.parse(text) !== null;
				};
			},
		},
		{
			name: 'standardwebhooks',
			prepare({ delivery: { body } }) {
				const now = new Date();
				const headers = {
					'webhook-id': 'msg_1',
					'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
					'webhook-signature': standard.sign('msg_1', now, body.toString()),
				};
				return () => standard.verify(body, headers) !== null;
			},
		},
	];
}

async function measure(
	trigger: TriggerCase,
	{ bytes, batch, warmUp }: (typeof sizes)[number],
): Promise<Measurement> {
	const contenders = contendersFor(ownTrigger(trigger)).map((contender) => ({
		...contender,
		// As n8n's answer would: the delivery is accepted and no longer being handled.
		tidy: ({ exchange: { response } }: Input) => {
			response.emit('finish');
		},
	}));
	const samples = await interleave(contenders, {
		warmUp,
		rounds,
		inputs: () =>
			Array.from({ length: batch }, () => {
				const delivery = makeDelivery(trigger, SECRET, bytes);
				return { delivery, exchange: makeExchange(delivery) };
			}),
	});
	return { trigger: trigger.title, bytes, samples };
}

async function main(): Promise<void> {
	const measurements: Measurement[] = [];
	for (const trigger of triggerCases) {
		if (triggers?.includes(trigger.title) === false) continue;
		for (const size of sizes) measurements.push(await measure(trigger, size));
	}
	process.send?.(measurements);
	process.disconnect?.();
}

void main();
