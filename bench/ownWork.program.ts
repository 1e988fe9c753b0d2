/**
 * Run under the pinned n8n's Node by `ownWork.ts`: `webhook()` of every trigger in n8n-core's real
 * WebhookContext, with n8n's answers prepared.
 */
import type * as SecretVault from '../nodes/shared/state/secretVault';
import { eventParameters, triggerCases, type TriggerCase } from '../testkit/triggers';
import { ownWorkInput, type OwnWork } from './ownWork';
import { BenchTrigger, makeExchange, parseAsN8nDoes } from './support/contexts';
import { makeDelivery } from './support/deliveries';
import { loadHostModules } from './support/hostModules';
import { shuffled } from './support/shuffled';

const SECRET = 'whsec_chosen_for_the_bench';
const BODY_BYTES = 1_000;
/** Deliveries that are timed in one go. */
const BATCH = 100;
/** Rounds at the beginning that are not counted, while code is being compiled. */
const WARM_UP = 20;

const { place, rounds } = ownWorkInput.parse(JSON.parse(process.argv[2] ?? ''));
const host = loadHostModules(place);
const { seal } = host.ownModule<typeof SecretVault>('nodes/shared/state/secretVault.js');

/**
 * A trigger as it runs after publishing: with an API its secret was made or issued then
 * and is kept sealed, otherwise it is in the credential.
 */
function published(trigger: TriggerCase): BenchTrigger {
	const registration = trigger.api === undefined ? 'manual' : 'automatic';
	const apiKey = 'key_of_the_bench';
	const workflowId = `wf of ${trigger.title}`;
	const owner = { workflowId, nodeId: 'node1', endpointId: 'endpoint1' };
	const product = trigger.parameters['product'];
	return new BenchTrigger(host, {
		workflowId,
		node: host.ownNode(trigger.nodeFile),
		typeName: `n8n-nodes-misar-metigan.${trigger.node}`,
		parameters: { ...trigger.parameters, registration, ...eventParameters(trigger) },
		credentialType: host.ownCredential(trigger.credentialFile),
		credential: registration === 'automatic' ? { apiKey } : { signingSecret: SECRET },
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

/** Times a trigger from the raw bytes on, because n8n parses the body before it calls any trigger. */
async function measure(of: TriggerCase, trigger: BenchTrigger): Promise<number> {
	const deliveries = Array.from({ length: BATCH }, () => {
		const exchange = makeExchange(makeDelivery(of, SECRET, BODY_BYTES));
		return { exchange, context: trigger.context(exchange) };
	});
	let accepted = 0;
	// Collect earlier garbage now, not while this trigger is timed.
	globalThis.gc?.({ type: 'minor' });
	const started = performance.now();
	for (const { exchange, context } of deliveries) {
		parseAsN8nDoes(exchange.request);
		if ((await trigger.call(context)).workflowData !== undefined) accepted += 1;
	}
	const microseconds = ((performance.now() - started) * 1_000) / BATCH;
	// As after n8n's answer: the delivery is no longer being handled.
	for (const { exchange } of deliveries) exchange.response.emit('finish');
	if (accepted !== BATCH)
		throw new Error(`${of.title} accepted ${accepted} of ${BATCH} deliveries`);
	return microseconds;
}

async function main(): Promise<void> {
	const triggers = triggerCases.map((of) => ({ of, trigger: published(of) }));
	const samples: OwnWork = Object.fromEntries(triggerCases.map(({ title }) => [title, []]));
	for (let round = -WARM_UP; round < rounds; round++) {
		for (const { of, trigger } of shuffled(triggers)) {
			const microseconds = await measure(of, trigger);
			if (round >= 0) samples[of.title]?.push(microseconds);
		}
	}
	process.send?.(samples);
	process.disconnect?.();
}

void main();
