import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import { requireSecrets } from '../../credential';
import type { ActionCall, Operation, SignatureScheme } from '../../provider';
import { signRequest } from '../../signature';
import { numberSchema, readParameter } from '../parameter';
import { RESOURCES } from '../resources';
import { signFields } from './fields';
import { binaryOf, chosenScheme, chosenSchemes, missingSecret, readPayload } from './payload';

export const sign: Operation = {
	resource: RESOURCES.signature,
	value: 'sign',
	name: 'Sign',
	action: 'Sign payload',
	description: 'Create the headers that the provider would send with a payload',
	offered: () => 'documented',
	properties: signFields,
	output: (family) => {
		const signed = z.object({ scheme: z.string(), headers: z.looseObject({}) });
		const maySignTime = family.some(({ schemes }) => schemes.some(signsTime));
		return maySignTime ? signed.extend({ timestamp: z.number().optional() }) : signed;
	},
	run: async (call) => [{ json: await signPayload(call), ...binaryOf(call) }],
};

function signsTime(scheme: SignatureScheme): boolean {
	return scheme.kind === 'hmac' && scheme.signed === 'timestamp.body';
}

/** Signs a payload as the provider would: the headers to send with it. */
async function signPayload(call: ActionCall): Promise<IDataObject> {
	const { credential } = call;
	requireSecrets(call.context, credential);
	if (credential.signingSecret === '') throw missingSecret(call);
	const [scheme] = chosenSchemes(call, chosenScheme(call));
	const given = readParameter(call, 'timestamp', numberSchema, 0);
	const timestamp = given > 0 ? Math.floor(given) : Math.floor(Date.now() / 1000);
	const payload = await readPayload(call);
	return {
		scheme: scheme.id,
		headers: signRequest(payload, scheme, credential.signingSecret, timestamp),
		...(signsTime(scheme) ? { timestamp } : {}),
	};
}
