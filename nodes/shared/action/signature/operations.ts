import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import { signRequest } from '../../signature';
import type { ActionCall, Operation } from '../operation';
import { numberSchema, readParameter } from '../parameter';
import { chosenSchemes, missingSecret, readPayload, verifyPayload } from './payload';
import { signFields, verifyFields } from './fields';

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
			const verification = await verificationOf(call);
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
	const [scheme] = chosenSchemes(call, chosenScheme(call));
	const given = readParameter(call, 'timestamp', numberSchema, 0);
	const timestamp = given > 0 ? Math.floor(given) : Math.floor(Date.now() / 1000);
	const payload = await readPayload(call);
	return {
		scheme: scheme.id,
		headers: signRequest(payload, scheme, credential.signingSecret, timestamp),
		...(scheme.kind === 'hmac' && scheme.signed === 'timestamp.body' ? { timestamp } : {}),
	};
}

/** The verdict on a payload, as an item holds it. */
async function verificationOf(
	call: ActionCall,
): Promise<{ valid: boolean; scheme?: string; signedAt?: string; reason?: string }> {
	const toleranceSeconds = readParameter(call, 'toleranceSeconds', numberSchema, 300);
	const { verdict } = await verifyPayload(call, chosenScheme(call), toleranceSeconds);
	if (!verdict.valid) return { valid: false, reason: verdict.reason };
	const { scheme, signedAt } = verdict;
	return {
		valid: true,
		scheme,
		...(signedAt === undefined ? {} : { signedAt: new Date(signedAt).toISOString() }),
	};
}

function chosenScheme(call: ActionCall): string {
	return readParameter(call, 'signatureScheme', z.string());
}
