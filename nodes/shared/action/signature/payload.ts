import { z } from 'zod/v4';

import { howToGetSecret, requireSecrets } from '../../credential';
import { settingsError } from '../../errors';
import { isJsonObject } from '../../jsonObject';
import type { ActionCall, SignatureScheme } from '../../provider';
import { schemesToTry, verifySignature, type SignedRequest, type Verdict } from '../../signature';
import { readParameter } from '../parameter';
import { HEADERS_OF_WEBHOOK } from './fields';

/**
 * Verifies a payload with the credential's signing secrets, as the trigger would. Does not throw for a
 * payload that does not verify.
 * @param toleranceSeconds 0 = any age
 * @throws NodeOperationError where the credential has no secret, or payload or headers cannot be read
 */
export async function verifyPayload(
	call: ActionCall,
	signatureScheme: string,
	toleranceSeconds: number,
): Promise<{ verdict: Verdict; request: SignedRequest }> {
	const { signingSecret, previousSigningSecret } = call.credential;
	requireSecrets(call.context, call.credential);
	const secrets = [signingSecret, previousSigningSecret];
	if (secrets.every((secret) => secret === '')) throw missingSecret(call);
	const request = { headers: readHeaders(call), rawBody: await readPayload(call) };
	const schemes = chosenSchemes(call, signatureScheme);
	const options = { secrets, toleranceSeconds, now: Date.now() };
	return { verdict: verifySignature(request, schemes, options), request };
}

/**
 * The scheme that is chosen, or those that "automatic" tries.
 * @throws NodeOperationError for one that the provider does not have, e.g. after the product was changed
 */
export function chosenSchemes(
	{ context, provider }: ActionCall,
	signatureScheme: string,
): readonly [SignatureScheme, ...SignatureScheme[]] {
	const [first, ...others] = schemesToTry(provider, { signatureScheme });
	if (first !== undefined) return [first, ...others];
	throw settingsError(
		context,
		`${provider.displayName} has no signature scheme "${signatureScheme}"`,
		`Choose one of: ${provider.schemes.map(({ id }) => id).join(', ')}`,
	);
}

/** The payload's bytes as they are: nothing is parsed or serialised again. */
export async function readPayload(call: ActionCall): Promise<Buffer> {
	const { context, itemIndex } = call;
	if (context.getNodeParameter('payloadSource', itemIndex) === 'text') {
		return Buffer.from(readParameter(call, 'payload', z.string(), ''));
	}
	const property = readParameter(call, 'binaryPropertyName', z.string());
	context.helpers.assertBinaryData(itemIndex, property);
	return await context.helpers.getBinaryDataBuffer(itemIndex, property);
}

export function missingSecret({ context, provider }: ActionCall) {
	return settingsError(context, 'The signing secret is missing', howToGetSecret(provider));
}

/** Headers as n8n's Webhook node outputs them, or as JSON text. */
function readHeaders({ context, itemIndex }: ActionCall): SignedRequest['headers'] {
	// Evaluating an expression takes n8n's default engine milliseconds, so the usual one is read directly.
	const value: unknown =
		context.getNode().parameters['headers'] === HEADERS_OF_WEBHOOK
			? context.getInputData()[itemIndex]?.json['headers']
			: context.getNodeParameter('headers', itemIndex, {});
	const headers = typeof value === 'string' ? parseJson(value) : value;
	if (!isJsonObject(headers)) {
		throw settingsError(
			context,
			'The headers are not a JSON object',
			'Connect a Webhook node with its option Raw Body on, or map its headers, for example {{ $json.headers }}',
		);
	}
	return Object.fromEntries(
		Object.entries(headers).flatMap(([name, content]) =>
			isHeaderValue(content) ? [[name.toLowerCase(), content]] : [],
		),
	);
}

/** Text, or the lines of a header that is repeated. */
function isHeaderValue(content: unknown): content is string | string[] {
	const lines: unknown[] = Array.isArray(content) ? content : [content];
	return lines.every((line) => typeof line === 'string');
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** The id that the parameter Signature Scheme holds. */
export function chosenScheme(call: ActionCall): string {
	return readParameter(call, 'signatureScheme', z.string());
}

/** The item that the payload came in. */
export function inputOf({ context, itemIndex }: ActionCall) {
	return context.getInputData()[itemIndex];
}

/** Its files, to pass them on. */
export function binaryOf(call: ActionCall) {
	const binary = inputOf(call)?.binary;
	return binary === undefined ? {} : { binary };
}
