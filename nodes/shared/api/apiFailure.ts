import { NodeApiError, type INode } from 'n8n-workflow';
import { z } from 'zod/v4';

import { noAnswer } from '../unreachable';
import { isHttpUrl, addressForMessage } from '../url';
import { hideSecrets } from './hideSecrets';

/** A failed request, described for a person. Contains no secret. */
export interface FailedRequest {
	readonly method: string;
	readonly url: string;
	/** Name of the provider in the editor, e.g. "Example Mail". */
	readonly providerName: string;
	/** See {@link isPlanRefusal}. */
	readonly planRefusals?: readonly string[] | undefined;
	/** Texts that must never be shown, even if the provider repeats them. */
	readonly secrets: readonly string[];
	/** What was to be read or changed, e.g. "contacts", where the request is not about webhooks. */
	readonly reads?: string | undefined;
	/** The endpoint the request is about, where it is about one. */
	readonly endpointId?: string | undefined;
	/** The item that an action node is working on. */
	readonly itemIndex?: number | undefined;
	/** A trigger makes the request, and can do without the API. */
	readonly forTrigger?: boolean;
}

/**
 * What a request ended with. `mayHaveHappened`: it may have taken effect, and would do so again. `afterLost`: an
 * attempt before it may have taken effect.
 */
export type Refusal =
	| {
			readonly kind: 'status';
			readonly status: number;
			readonly body: unknown;
			readonly retryAfterSeconds?: number;
			readonly mayHaveHappened?: true;
			readonly afterLost?: true;
	  }
	| { readonly kind: 'unreachable'; readonly code: string; readonly mayHaveHappened?: true }
	| { readonly kind: 'unreadable'; readonly status: number; readonly expected: string };

const bodySchema = z
	.object({
		error: z.unknown(),
		message: z.unknown(),
		code: z.unknown(),
		error_type: z.unknown(),
		upgrade: z.unknown(),
		upgrade_url: z.unknown(),
		field: z.unknown(),
		details: z.unknown(),
	})
	.partial()
	.loose();

const messagesByFieldSchema = z.object({
	fieldErrors: z.record(z.string(), z.array(z.unknown())),
	formErrors: z.array(z.unknown()).default([]),
});

/**
 * Whether an answer says that the plan does not allow this: the body decides, because providers use several
 * statuses. Never worth a retry.
 * @param codes the provider's error codes that say so
 */
export function isPlanRefusal(
	status: number,
	body: unknown,
	codes: readonly string[] = [],
): boolean {
	if (status === 402) return true;
	const parsed = bodySchema.safeParse(body);
	if (!parsed.success) return false;
	const { code, error, error_type: errorType, upgrade } = parsed.data;
	return (
		[code, error, errorType].some((value) => isText(value) && codes.includes(value)) ||
		upgrade === true ||
		(typeof upgrade === 'object' && upgrade !== null)
	);
}

/** Turns a refusal into n8n's error: what happened, at which address, and what to do about it. */
export function apiFailure(node: INode, request: FailedRequest, refusal: Refusal): NodeApiError {
	const { providerName } = request;
	const hide = (text: string) => hideSecrets(text, request.secrets);
	const answer = refusal.kind === 'status' ? providerText(refusal.body) : undefined;
	// Cut after hiding: half a secret would not be recognised.
	const said = answer && hide(answer).slice(0, 500);
	const { message, advice } = explain(request, refusal);
	// A trigger finds out by itself whether its call has taken effect; an action leaves that to a person.
	const isUncertain = refusal.kind !== 'unreadable' && refusal.mayHaveHappened === true;
	const caution = isUncertain && request.itemIndex !== undefined && LOOK_FIRST;
	const where = `${request.method} ${addressForMessage(request.url)}`;
	const description = [
		said && `${providerName} answered: ${said}`,
		caution,
		advice,
		`Request: ${where}`,
	]
		.filter(Boolean)
		.join(' — ');
	const httpCode = refusal.kind === 'unreachable' ? undefined : String(refusal.status);
	const failure = new NodeApiError(
		node,
		{ request: where },
		{
			message: hide(message),
			description: hide(description),
			...(httpCode === undefined ? {} : { httpCode }),
			...(request.itemIndex === undefined ? {} : { itemIndex: request.itemIndex }),
		},
	);
	if (refusal.kind === 'status' && refusal.retryAfterSeconds !== undefined) {
		failure.context['retryAfterSeconds'] = refusal.retryAfterSeconds;
	}
	return failure;
}

const LOOK_FIRST =
	'It may have taken effect, so it is not sent again automatically: check before you try again';

interface Explanation {
	readonly message: string;
	readonly advice: string;
}

function explain(request: FailedRequest, refusal: Refusal): Explanation {
	const { providerName: name } = request;
	switch (refusal.kind) {
		case 'unreachable':
			return {
				advice:
					'Check the Base URL in the credential and that this n8n can reach it, then try again',
				...noAnswer(name, refusal.code),
			};
		case 'unreadable':
			return {
				message: `${name} answered with something that is not ${refusal.expected} (HTTP ${refusal.status})`,
				advice: `Check ${wordsFor(request, refusal.status).address}: a web page or a proxy may answer there instead of the API`,
			};
		case 'status':
			return explainStatus(request, refusal);
	}
}

function explainStatus(
	request: FailedRequest,
	{ status, body, retryAfterSeconds }: Refusal & { kind: 'status' },
): Explanation {
	const { providerName: name } = request;
	const words = wordsFor(request, status);
	if (isPlanRefusal(status, body, request.planRefusals)) {
		const upgradeUrl = findUpgradeUrl(body);
		return {
			message: `The ${name} plan does not allow this (HTTP ${status})`,
			advice: `${words.upgrade}${upgradeUrl === undefined ? '' : ` at ${upgradeUrl}`}`,
		};
	}
	switch (status) {
		case 401:
			return {
				message: `${name} did not accept the API key (HTTP 401)`,
				advice: `Check the API key in the credential: it must be a live key of ${name}, copied whole`,
			};
		case 403:
			return words.forbidden;
		case 404:
		case 405:
			return words.notFound;
		case 400:
		case 409:
		case 422:
			return {
				message: `${name} did not accept the request (HTTP ${status})`,
				advice: `Correct what the answer names, usually ${words.mistake}`,
			};
		case 429:
			return {
				message: `${name} limits how often its API may be called (HTTP 429)`,
				advice: `Wait ${waitInWords(retryAfterSeconds)}, then try again`,
			};
	}
	return status >= 500
		? {
				message: `${name} is not available at the moment (HTTP ${status})`,
				advice: 'Nothing is wrong with the workflow: try again in a few minutes',
			}
		: {
				message: `${name} refused the request (HTTP ${status})`,
				advice: `Check ${words.address}`,
			};
}

function waitInWords(seconds: number | undefined): string {
	if (seconds === undefined) return 'a minute';
	return seconds === 1 ? '1 second' : `${seconds} seconds`;
}

/** What is said differently about requests for webhooks and for another list. */
function wordsFor(request: FailedRequest, status: number) {
	const { method, providerName: name, reads, endpointId, forTrigger } = request;
	if (reads === undefined) {
		const address = 'the Base URL in the credential and Options → API Path';
		return {
			address,
			forbidden: {
				message: `This API key may not manage ${name} webhooks (HTTP 403)`,
				advice:
					forTrigger === true
						? 'Use a key with permission to manage webhooks, or set Registration to Manual and add the URL in the dashboard'
						: 'Use a key with permission to manage webhooks',
			},
			mistake: 'the webhook URL or an event',
			notFound:
				endpointId === undefined
					? {
							message: `${name} has no webhook API at this address (HTTP ${status})`,
							advice: `Check ${address}`,
						}
					: {
							message: `${name} has no endpoint ${endpointId}, or no such call (HTTP ${status})`,
							advice:
								'Choose an endpoint from the list (Endpoint → Get Many), or check Options → API Path',
						},
			upgrade: 'Remove an endpoint that is no longer used or upgrade the plan',
		};
	}
	const address = 'the Base URL in the credential';
	const verb = method === 'GET' ? 'read' : 'change';
	return {
		address,
		forbidden: {
			message: `This API key may not ${verb} the ${reads} of ${name} (HTTP 403)`,
			advice: `Use a key with permission to ${verb} ${reads}`,
		},
		mistake: method === 'GET' ? 'a filter' : 'a value that was entered',
		notFound: {
			message: `${name} has no list of ${reads} at this address (HTTP ${status})`,
			advice: `Check ${address}`,
		},
		upgrade: 'Upgrade the plan',
	};
}

/** The provider's own message: `error` or `message`, as text or as `{code, message}`, and field notes. */
function providerText(body: unknown): string | undefined {
	const parsed = bodySchema.safeParse(body);
	if (!parsed.success) return undefined;
	const { error, message, field, details } = parsed.data;
	const nested = bodySchema.safeParse(error);
	const main =
		asText(message) ?? (nested.success ? asText(nested.data.message) : undefined) ?? asText(error);
	const fields =
		Object.values(parsed.data).map(asFieldNotes).find(isText) ??
		asMessagesByField(details) ??
		asMessagesByField(error) ??
		asText(field);
	return main === undefined || fields === undefined ? (main ?? fields) : `${main} (${fields})`;
}

/** `{fieldErrors: {url: ['Required']}, formErrors: []}` */
function asMessagesByField(value: unknown): string | undefined {
	const parsed = messagesByFieldSchema.safeParse(value);
	if (!parsed.success) return undefined;
	const { fieldErrors, formErrors } = parsed.data;
	const notes = Object.entries(fieldErrors).map(
		([field, messages]) => `${field}: ${messages.filter(isText).join(', ')}`,
	);
	return asText([...formErrors.filter(isText), ...notes].join('; '));
}

/** `[{field: 'url', message: 'Required'}]`, which each provider calls by another name. */
function asFieldNotes(value: unknown): string | undefined {
	const notes = z
		.array(z.object({ field: z.string(), message: z.string() }))
		.min(1)
		.safeParse(value);
	return notes.success
		? notes.data.map(({ field, message }) => `${field}: ${message}`).join('; ')
		: undefined;
}

/** The address to upgrade at, if a person can open it. */
function findUpgradeUrl(body: unknown): string | undefined {
	const url = upgradeText(body);
	return url !== undefined && url.length <= 500 && isHttpUrl(url) ? url : undefined;
}

function upgradeText(body: unknown): string | undefined {
	const nested = z
		.object({ upgrade: z.object({ urls: z.object({ pricing: z.string() }) }) })
		.safeParse(body);
	if (nested.success) return nested.data.upgrade.urls.pricing;
	const flat = bodySchema.safeParse(body);
	return flat.success ? asText(flat.data.upgrade_url) : undefined;
}

function asText(value: unknown): string | undefined {
	return isText(value) && value !== '' ? value : undefined;
}

function isText(value: unknown): value is string {
	return typeof value === 'string';
}
