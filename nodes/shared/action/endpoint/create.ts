import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import { requireSecrets } from '../../credential';
import type { Operation } from '../../provider';
import { flawOf, requireSecret } from '../../secretText';
import { readParameter, readText } from '../parameter';
import { RESOURCES } from '../resources';
import { asOutput, endpointOutput, selectedEvents, throughApi, type EndpointCall } from './call';
import { newEndpointFields, newEndpointOptionsSchema } from './fields';

export const create: Operation = {
	resource: RESOURCES.endpoint,
	value: 'create',
	name: 'Create',
	action: 'Create webhook endpoint',
	description: 'Register a webhook URL',
	offered: ({ api }) => api && 'documented',
	properties: newEndpointFields,
	output: createdOutput,
	run: throughApi(async (call) => [await createEndpoint(call, readText(call, 'url'))]),
};

/** An endpoint, with its secret where the user asks for it. */
export function createdOutput() {
	return endpointOutput().extend({ signingSecret: z.string().optional() });
}

/** Creates an endpoint with the node's options. @returns its item @throws NodeApiError or NodeOperationError */
export async function createEndpoint(call: EndpointCall, url: string): Promise<IDataObject> {
	const { webhookApi, api } = call;
	const { signingSecret, includeSecret } = readParameter(
		call,
		'options',
		newEndpointOptionsSchema,
		{},
	);
	const secret = webhookApi.sendsSecret === 'never' ? '' : secretToSend(call, signingSecret);
	const outcome = await api.create({
		url,
		events: selectedEvents(call),
		...(secret === '' ? {} : { secret }),
	});
	if ('failure' in outcome) throw outcome.failure;
	const issued = outcome.endpoint.secret ?? (secret === '' ? undefined : secret);
	return {
		...asOutput(outcome.endpoint),
		...(includeSecret && issued !== undefined ? { signingSecret: issued } : {}),
	};
}

/** The secret of the option, or else of the credential; empty if the provider is to make one. */
function secretToSend({ context, credential }: EndpointCall, given: string): string {
	requireSecret(context, 'option Signing Secret', given);
	if (flawOf(given) !== 'empty') return given;
	requireSecrets(context, credential);
	return credential.signingSecret;
}
