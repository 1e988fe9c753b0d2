import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import { settingsError } from '../errors';
import { isJsonObject } from '../jsonObject';
import type { SignatureScheme } from '../provider';
import { schemesToTry, signRequest, verifySignature } from '../signature';
import type { ActionCall, Operation } from './operation';
import { numberSchema, readParameter } from './parameter';
import { signFields, verifyFields } from './signatureFields';

/** Signatures of payloads. The payload is passed on with the result, for the next node to use unchanged. */
export const signatureOperations: readonly Operation[] = [
	{
		resource: 'signature',
		value: 'sign',
		name: 'Sign',
		action: 'Sign a payload',
		description: 'Make the headers that the provider would send with a payload',
		offered: () => 'documented',
		properties: signFields,
		run: async (call) => [{ json: await signPayload(call), ...binaryOf(call) }],
	},
	{
		resource: 'signature',
		value: 'verify',
		name: 'Verify',
		action: 'Verify a payload',
		description:
			'Check whether a payload comes from the provider. Valid and invalid payloads go to separate outputs.',
		isDefault: true,
		outputs: ['Valid', 'Invalid'],
		offered: () => 'documented',
		properties: verifyFields,
		run: async (call) => {
			const verification = await verifyPayload(call);
			const json = { ...inputOf(call)?.json, verification };
			return [{ json, ...binaryOf(call), output: verification.valid ? 0 : 1 }];
		},
	},
];

function inputOf({ context, itemIndex }: ActionCall) {
	return context.getInputData()[itemIndex];
}

function binaryOf(call: ActionCall) {
	const binary = inputOf(call)?.binary;
	return binary === undefined ? {} : { binary };
}

/** Signs a payload as the provider would: the headers to send with it. */
async function signPayload(call: ActionCall): Promise<IDataObject> {
	const { credential } = call;
	if (credential.signingSecret === '') throw missingSecret(call);
	const [scheme] = chosenSchemes(call);
	const given = readParameter(call, 'timestamp', numberSchema, 0);
	const timestamp = given > 0 ? Math.floor(given) : Math.floor(Date.now() / 1000);
	const payload = await readPayload(call);
	return {
		scheme: scheme.id,
		headers: signRequest(payload, scheme, credential.signingSecret, timestamp),
		...(scheme.kind === 'hmac' && scheme.signed === 'timestamp.body' ? { timestamp } : {}),
	};
}

/** Verifies a payload as the trigger would. Never throws for a payload that does not verify. */
async function verifyPayload(
	call: ActionCall,
): Promise<{ valid: boolean; scheme?: string; signedAt?: string; reason?: string }> {
	const { credential } = call;
	const secrets = [credential.signingSecret, credential.previousSigningSecret];
	if (secrets.every((secret) => secret === '')) throw missingSecret(call);
	const verdict = verifySignature(
		{ headers: readHeaders(call), rawBody: await readPayload(call) },
		chosenSchemes(call),
		{
			secrets,
			toleranceSeconds: readParameter(call, 'toleranceSeconds', numberSchema, 300),
			now: Date.now(),
		},
	);
	if (!verdict.valid) return { valid: false, reason: verdict.reason };
	const { scheme, signedAt } = verdict;
	return {
		valid: true,
		scheme,
		...(signedAt === undefined ? {} : { signedAt: new Date(signedAt).toISOString() }),
	};
}

/**
 * The scheme that is chosen, or those that "automatic" tries.
 * @throws NodeOperationError for one that the provider does not have, e.g. after the product was changed
 */
function chosenSchemes(call: ActionCall): readonly [SignatureScheme, ...SignatureScheme[]] {
	const { context, provider } = call;
	const signatureScheme = readParameter(call, 'signatureScheme', z.string());
	const [first, ...others] = schemesToTry(provider, { signatureScheme });
	if (first !== undefined) return [first, ...others];
	throw settingsError(
		context,
		`${provider.displayName} has no signature scheme "${signatureScheme}"`,
		`Choose one of: ${provider.schemes.map(({ id }) => id).join(', ')}`,
	);
}

/** The payload's bytes as they are: nothing is parsed or serialised again. */
async function readPayload(call: ActionCall): Promise<Buffer> {
	const { context, itemIndex } = call;
	if (context.getNodeParameter('payloadSource', itemIndex) === 'text') {
		return Buffer.from(readParameter(call, 'payload', z.string(), ''));
	}
	const property = readParameter(call, 'binaryPropertyName', z.string());
	context.helpers.assertBinaryData(itemIndex, property);
	return await context.helpers.getBinaryDataBuffer(itemIndex, property);
}

/** Headers as n8n's Webhook node outputs them, or as JSON text. */
function readHeaders({ context, itemIndex }: ActionCall): Record<string, string> {
	const value: unknown = context.getNodeParameter('headers', itemIndex, {});
	const headers = typeof value === 'string' ? parseJson(value) : value;
	if (!isJsonObject(headers)) {
		throw settingsError(
			context,
			'The headers are not a JSON object',
			'Map the headers of the Webhook node, for example {{ $json.headers }}',
		);
	}
	return Object.fromEntries(
		Object.entries(headers).flatMap(([name, content]) =>
			typeof content === 'string' ? [[name.toLowerCase(), content]] : [],
		),
	);
}

function parseJson(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

function missingSecret({ context, provider }: ActionCall) {
	return settingsError(
		context,
		'The signing secret is missing',
		`Enter the Signing Secret of ${provider.displayName} in the credential`,
	);
}
