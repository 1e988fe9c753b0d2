import type { INodeProperties } from 'n8n-workflow';
import { z } from 'zod/v4';

import { acceptDelivery, deliveryItem, eventOutput, type Rejection } from '../../delivery/accept';
import { parseBody } from '../../delivery/body';
import type { DeliveryState } from '../../delivery/deduplicator';
import { checkDelivery, checkDeliveryInRun } from '../../delivery/duplicates';
import type { EventIdentity } from '../../delivery/event';
import { logDeviations } from '../../delivery/trace';
import { settingsError } from '../../errors';
import {
	deliveryOptions,
	eventOptions,
	optionsCollection,
	SIMPLIFY,
	skipDuplicatesOption,
} from '../../properties';
import { ALL_EVENTS, noEventSelected, selectedNames } from '../../events';
import { sourceOf } from '../../product';
import type { ActionCall, ActionResult, Operation, Provider } from '../../provider';
import { usableConditions } from '../../settings';
import { ownerOf, type Owner } from '../../state/perTrigger';
import { eventNames } from '../eventNames';
import { namesSchema, numberSchema, readParameter } from '../parameter';
import { RESOURCES } from '../resources';
import { verifyPayload } from '../signature/payload';
import { DELIVERY } from '../signature/fields';
import { lateAnswer, runEnd } from './answer';

const optionsSchema = z.object({
	bounceType: z.enum(['any', 'hard', 'soft']).default('any'),
	conditions: z.unknown(),
	customEvents: z.string().default(''),
	signatureScheme: z.string().default('auto'),
	skipDuplicates: z.boolean().default(true),
	toleranceSeconds: numberSchema.default(300),
});

/** Does what a trigger does with a delivery, for one that n8n's Webhook node received. */
export const receive: Operation = {
	resource: RESOURCES.delivery,
	value: 'receive',
	name: 'Receive',
	action: 'Receive delivery from webhook node',
	description:
		'Verify and read a delivery that n8n’s Webhook node received, as the trigger does. Forged, unselected and duplicate deliveries go to Refused.',
	outputs: ['Event', 'Refused'],
	// n8n's Webhook node stores headers with each run, and a shared secret is one of them.
	offered: ({ schemes }) =>
		schemes.every(({ kind }) => kind === 'hmac') ? 'documented' : undefined,
	properties: receiveFields,
	output: eventOutput,
	run: async (call) => [await receiveOne(call)],
};

function receiveFields(provider: Provider): INodeProperties[] {
	return [
		...DELIVERY,
		{
			displayName: 'Events',
			name: 'events',
			type: 'multiOptions',
			options: eventOptions(provider),
			default: [ALL_EVENTS],
			description: 'Which events to accept. Choose several, or All Events.',
		},
		SIMPLIFY,
		optionsCollection([
			...deliveryOptions(provider),
			skipDuplicatesOption(
				'a delivery that was accepted before goes to Refused. If the Webhook node answers after the run, one whose run failed is accepted again',
			),
		]),
	];
}

async function receiveOne(call: ActionCall): Promise<ActionResult> {
	const { context, provider, family } = call;
	const options = readParameter(call, 'options', optionsSchema, {});
	const selected = readParameter(call, 'events', namesSchema, [ALL_EVENTS]);
	const events = selectedNames(eventNames(call, selected), options.customEvents);
	if (events.length === 0) throw noEventSelected(context, provider, 'Options → Custom Events');
	const mode = context.getMode();
	// A person may retry a failed run at any later time.
	const toleranceSeconds = mode === 'retry' ? 0 : options.toleranceSeconds;

	const { verdict, request } = await verifyPayload(call, options.signatureScheme, toleranceSeconds);
	if (!verdict.valid) return refused(provider, { status: 401, reason: verdict.reason });
	const conditions = usableConditions(context, options.conditions);
	const selection = { events, bounceType: options.bounceType, conditions };
	const body = parseBody(request.rawBody);
	const accepted = acceptDelivery(provider, family, selection, request, body);
	if ('status' in accepted) return refused(provider, accepted);

	// People send the same test event again and again, and a run that is retried sends its own again.
	const simplify = readParameter(call, 'simplify', z.boolean(), true);
	const skipsDuplicates = options.skipDuplicates && mode !== 'manual' && mode !== 'retry';
	const owner = ownerOf(context);
	const deliveryState = skipsDuplicates ? await see(call, owner, accepted.identity) : 'new';
	if (deliveryState === 'accepted') return refused(provider, { status: 200, reason: 'duplicate' });
	if (deliveryState === 'inProgress') return putOff(call);
	logDeviations(context, owner, accepted);
	return { json: deliveryItem(provider, simplify, accepted, verdict, request.headers) };
}

/**
 * Whether this node has seen the event before. If the Webhook node has answered already, a failed run does not make the
 * provider send the event again; otherwise it does, and the event has to run again.
 */
async function see(
	{ context }: ActionCall,
	owner: Owner,
	identity: EventIdentity,
): Promise<DeliveryState> {
	if (lateAnswer(context) === undefined) return checkDelivery(owner, identity);
	return await checkDeliveryInRun(owner, identity, {
		id: context.getExecutionId(),
		endOf: async (id) => await runEnd(context, id),
		onCancel: (handler) => context.onExecutionCancellation(handler),
	});
}

/**
 * Has the provider send a copy again later, because the run that has the event may still fail.
 * @throws NodeOperationError where only a failed run makes n8n answer with something other than 200
 */
function putOff({ context, provider }: ActionCall): ActionResult {
	const reason = 'the same delivery is being handled';
	if (lateAnswer(context) === 'byNode') return refused(provider, { status: 503, reason });
	throw settingsError(
		context,
		'The same delivery is being handled by another run',
		'There is nothing to do: the provider sends it again, and it runs if that run fails',
	);
}

function refused(
	provider: Provider,
	{ status, reason, event }: Omit<Rejection, 'status'> & { readonly status: number },
): ActionResult {
	const named = event === undefined ? {} : { event: event.name };
	return { json: { ...sourceOf(provider), status, reason, ...named }, output: 1 };
}
