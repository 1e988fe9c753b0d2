import { z } from 'zod/v4';

import type { ActionCall, Operation } from '../../provider';
import { numberSchema, readParameter } from '../parameter';
import { RESOURCES } from '../resources';
import { verifyFields } from './fields';
import { binaryOf, chosenScheme, inputOf, verifyPayload } from './payload';

const verificationSchema = z.object({
	valid: z.boolean(),
	scheme: z.string().optional(),
	signedAt: z.string().optional(),
	reason: z.string().optional(),
});

export const verify: Operation = {
	resource: RESOURCES.signature,
	value: 'verify',
	name: 'Verify',
	action: 'Verify payload',
	description:
		'Check whether a payload comes from the provider. Valid and invalid payloads go to separate outputs.',
	isDefault: true,
	outputs: ['Valid', 'Invalid'],
	offered: () => 'documented',
	properties: verifyFields,
	// Together with the fields of the input item.
	output: () => z.looseObject({ verification: verificationSchema }),
	run: async (call) => {
		const verification = await verificationOf(call);
		const json = { ...inputOf(call)?.json, verification };
		return [{ json, ...binaryOf(call), output: verification.valid ? 0 : 1 }];
	},
};

/** The verdict on a payload, as an item holds it. */
async function verificationOf(call: ActionCall): Promise<z.output<typeof verificationSchema>> {
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
