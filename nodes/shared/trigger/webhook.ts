import type { IDataObject, IWebhookFunctions, IWebhookResponseData } from 'n8n-workflow';

import { acceptDelivery, deliveryItem } from '../delivery/accept';
import { parseBody } from '../delivery/body';
import { checkDelivery } from '../delivery/duplicates';
import { readEvent, type EventIdentity } from '../delivery/event';
import { isPing } from '../delivery/selection';
import { logDeviations } from '../delivery/trace';
import { verifyDelivery } from '../delivery/verification';
import { isJsonObject } from '../jsonObject';
import { messageOf, warn } from '../log';
import { selectProvider } from '../product';
import type { Provider, ProviderFamily } from '../provider';
import { readSettings, type TriggerSettings } from '../settings';
import { commandItem } from '../state/commands';
import { endpointLock } from '../state/endpointLock';
import { ownerOf, type Owner } from '../state/perTrigger';
import { problemsOf } from '../state/problems';
import { isReachCheck } from '../state/reachChecks';
import { learnState, newestStates } from '../state/recordStore';
import { readState, recordsFor } from '../state/triggerState';
import { afterRun, type Answer } from './answerAfterRun';
import { collect } from './collect';
import { DeliveryReport } from './deliveryReport';

/** Seconds after which a provider may try again when we cannot take a delivery at the moment. */
const RETRY_AFTER_SECONDS = 5;

const PAYLOAD_TOO_LARGE = 413;

/** First byte of a body that n8n parses to an object or refuses. */
const OPENING_BRACE = 0x7b;

/** Bytes of an unsigned body that is looked into for a ping, which takes less than a tenth of that. */
const MAX_PING_BYTES = 4096;

/** What a person is told about refusals that are not due to the signature. */
const NO_JSON = 'No provider sends such a body: look at what is between the provider and this n8n';
const IS_VERIFIED = 'Its signature is valid, so the signing secret is correct';

/** How a delivery that starts no run is answered. */
interface Reply {
	readonly status: number;
	readonly body: IDataObject;
	/** When the provider may try again after an answer of 503. */
	readonly retryAfterSeconds?: number;
	/** Starts a run, once the answer is sent, which reports the delivery. */
	readonly item?: IDataObject | undefined;
}

/** A delivery that is answered after its run. */
interface Later {
	readonly answer: Promise<Answer>;
}

/**
 * n8n's `webhook()`: verifies a delivery, reads it, filters it, drops duplicates, and starts a run.
 *
 * Never throws, because n8n would answer 500 and store a failed execution for each forged request.
 * What cannot be handled at the moment is answered with 503, so that the provider tries again.
 */
export async function receiveDelivery(
	context: IWebhookFunctions,
	family: ProviderFamily,
): Promise<IWebhookResponseData> {
	try {
		const outcome = await handle(context, family);
		if ('answer' in outcome) {
			void outcome.answer.then((answer) => reply(context, answer));
			return { noWebhookResponse: true };
		}
		return 'status' in outcome ? reply(context, outcome) : outcome;
	} catch (error) {
		context.logger.error(
			'A webhook delivery could not be handled; the provider was asked to send it again',
			{
				node: context.getNode().name,
				workflowId: context.getWorkflow().id,
				reason: messageOf(error),
			},
		);
		return reply(context, retryLater('the workflow cannot take deliveries at the moment'));
	}
}

async function handle(
	context: IWebhookFunctions,
	family: ProviderFamily,
): Promise<IWebhookResponseData | Reply | Later> {
	const provider = selectProvider(context, family);
	const settings = readSettings(context, provider);
	const headers = context.getHeaderData();
	const node = context.getNode();
	const owner = ownerOf(context, node);
	const isTest = context.getMode() === 'manual';
	const report = new DeliveryReport(context, family, provider, settings, owner);
	const refuse = (reason: string, explain: () => string, status = 401): Reply => ({
		status,
		body: { error: reason },
		item: report.refused(reason, headers, explain),
	});

	const rawBody = await readRawBody(context);
	if (isReachCheck(headers, 'reason' in rawBody ? undefined : rawBody)) {
		return { status: 401, body: { error: 'no delivery' } };
	}
	if ('reason' in rawBody) return refuse(rawBody.reason, () => NO_JSON, rawBody.status);
	const { state, isBehind } = isTest
		? { state: readState(context, owner), isBehind: false }
		: learnState(context, owner);
	const { record, replaced } = recordsFor(state, provider);
	const verification = await verifyDelivery(context, provider, settings, node, {
		headers,
		rawBody,
		record,
		replaced,
	});
	const { verdict, secretKnown, cannotUnseal, usedPrevious } = verification;
	const automatic = settings.registration === 'automatic';
	if (!verdict.valid) {
		if (isPingOnCreate(provider, rawBody, headers)) return ignore('ping');
		const explain = () => verification.explain?.(family) ?? '';
		if (!automatic) return refuse(verdict.reason, explain);
		if (cannotUnseal === true && verdict.unmatched === true) {
			if (problemsOf(owner).isFirst(`cannot unseal ${record?.endpointId}`)) {
				warn(
					context,
					'The signing secret of this trigger’s endpoint cannot be opened with the API key in the credential, so deliveries are answered with 503, to be sent again. The next check registers the endpoint again; or enter the previous API key in the credential again',
				);
			}
			const answer = retryLater('the signing secret cannot be read at the moment');
			return { ...answer, item: report.putOff(String(answer.body['error'])) };
		}
		// The endpoint is being registered.
		if (!secretKnown || record === undefined) {
			return retryLater(
				'no signing secret is known yet; unpublish and publish the workflow if this lasts',
			);
		}
		// Another process may know the secret that it is signed with, or this one may in a moment: only the process that
		// manages the endpoint knows that no other secret was issued since. A test listener manages its own.
		const isLookedAfterHere = isTest || endpointLock(owner).publishedUrl !== undefined;
		const isIssuedElsewhere = record.sealedSecret !== undefined && !isLookedAfterHere;
		const mayBeNew = isBehind || state.creating === true || isIssuedElsewhere;
		return mayBeNew && verdict.unmatched === true
			? retryLater('the signing secret is being changed')
			: refuse(verdict.reason, explain);
	}

	report.verified();

	const request = { headers, rawBody };
	const body = bodyOf(context, rawBody);
	const accepted = acceptDelivery(provider, family, settings, request, body);
	if ('status' in accepted) {
		const { status, reason } = accepted;
		return status === 200
			? { ...ignore(reason), item: report.ignored(accepted) }
			: refuse(reason, () => IS_VERIFIED, status);
	}
	const { event, identity } = accepted;
	const received = { owner, provider, settings, eventName: event.name, identity };
	const later = afterRun(context, received);
	const joined = later?.join();
	if (joined !== undefined) return { answer: joined };
	const duplicate = checkDuplicate(context, provider, settings, owner, identity);
	if (duplicate !== undefined) return duplicate;

	report.accepted(accepted, usedPrevious);
	logDeviations(context, owner, accepted);
	const json = deliveryItem(provider, settings.simplify, accepted, verdict, headers);
	const items = [
		json,
		...report.beside(Date.now()),
		// n8n has lost the state, or has an older copy: this run saves it again.
		...(isBehind ? [commandItem({ do: 'save', states: newestStates(owner) })] : []),
	];
	if (later !== undefined) return { answer: later.start(items) };
	// An event without a name may have no output, and its run fails.
	const isAlone = settings.outputPerEvent && !event.named;
	const run =
		settings.collectFor === 0 || isTest || isAlone
			? { items }
			: await collect(
					owner.workflowId,
					node,
					{ items, bytes: rawBody.length, answer: context.getResponseObject() },
					settings,
				);
	if ('isAccepted' in run) {
		return run.isAccepted
			? { status: 200, body: { received: true } }
			: retryLater('n8n has not started the run of this delivery');
	}
	return {
		workflowData: [run.items.map((item) => ({ json: item }))],
		webhookResponse: { received: true },
	};
}

/**
 * Whether this is the ping that a provider sends before it returns the secret of a new endpoint. It is
 * answered although it is unverified: it starts no run and reveals nothing to the sender.
 */
function isPingOnCreate(
	provider: Provider,
	rawBody: Buffer,
	headers: Readonly<Record<string, unknown>>,
): boolean {
	if (provider.envelope.pingsOnCreate !== true || rawBody.length > MAX_PING_BYTES) return false;
	const body = parseBody(rawBody);
	return body !== undefined && isPing(provider, readEvent(provider, body, headers));
}

/**
 * The bytes as they were signed. n8n keeps none of a multipart body, which no provider sends, and leaves bodies other
 * than JSON, text, forms and XML to be read here.
 * @returns a refusal if there are none, or the body is too large or badly compressed, where a retry would not help
 */
async function readRawBody(
	context: IWebhookFunctions,
): Promise<Buffer | { readonly status: number; readonly reason: string }> {
	const request = context.getRequestObject();
	const unverifiable = { status: 401, reason: 'the body cannot be verified' };
	if (request.contentType?.startsWith('multipart/') === true) return unverifiable;
	if (!Buffer.isBuffer(request.rawBody)) {
		try {
			await request.readRawBody();
		} catch (error) {
			// The status is that of raw-body, which n8n reads with.
			return isJsonObject(error) && error['status'] === PAYLOAD_TOO_LARGE
				? { status: PAYLOAD_TOO_LARGE, reason: 'the body is larger than n8n accepts' }
				: { status: 400, reason: 'the body cannot be read' };
		}
	}
	return Buffer.isBuffer(request.rawBody) ? request.rawBody : unverifiable;
}

/**
 * The body as an object. n8n parses JSON before it calls us: its result is taken where it cannot
 * differ from our own reading of the signed bytes, because parsing a large body costs more than
 * verifying it. The content type is not signed, and can name another character set.
 */
function bodyOf(context: IWebhookFunctions, rawBody: Buffer): IDataObject | undefined {
	const { contentType, encoding } = context.getRequestObject();
	const parsedAlike =
		contentType === 'application/json' && encoding === 'utf-8' && rawBody[0] === OPENING_BRACE;
	return parsedAlike ? context.getBodyData() : parseBody(rawBody);
}

function checkDuplicate(
	context: IWebhookFunctions,
	{ envelope }: Provider,
	settings: TriggerSettings,
	owner: Owner,
	identity: EventIdentity,
): Reply | undefined {
	// People send the same test event again and again while they build a workflow.
	if (!settings.skipDuplicates || context.getMode() === 'manual') return undefined;
	const deliveryState = checkDelivery(owner, identity, context.getResponseObject());
	if (deliveryState === 'new') return undefined;
	if (deliveryState === 'inProgress' && envelope.retried) {
		return retryLater('the same delivery is being handled');
	}
	return { status: 200, body: { received: true, duplicate: true } };
}

function ignore(reason: string): Reply {
	return { status: 200, body: { received: true, ignored: reason } };
}

function retryLater(reason: string): Reply {
	return { status: 503, body: { error: reason } };
}

/** Answers here: n8n's own answers cannot have a status, so that `webhook()` has to end the response. */
function reply(
	context: IWebhookFunctions,
	{ status, body, item, retryAfterSeconds = RETRY_AFTER_SECONDS }: Reply,
): IWebhookResponseData {
	const response = context.getResponseObject();
	if (!response.headersSent) {
		if (status === 503) response.setHeader('Retry-After', String(retryAfterSeconds));
		response.status(status).json(body);
	}
	return {
		noWebhookResponse: true,
		...(item === undefined ? {} : { workflowData: [[{ json: item }]] }),
	};
}
