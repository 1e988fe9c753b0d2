import type { IDataObject } from 'n8n-workflow';
import { z } from 'zod/v4';

import type {
	EnvelopeFacts,
	EnvelopeShape,
	EventFact,
	Provider,
	SignatureScheme,
} from '../shared/provider';
import { platformSample } from './samples';

/** What all Misar products share, after the platform page (misar.io/docs/webhooks). */

const text = z.string();

export const BASE_URL = 'https://api.misar.io';

/** Why an event that the newest list of a product lacks is not part of "all events". */
export const UNCONFIRMED_EVENT = 'Not confirmed by Misar, not part of All Events';

/** As in the SDKs of MisarMail, Misar.Blog and Misar.Dev; their statuses differ (402, 403 or 429). */
export const PLAN_REFUSALS: readonly string[] = ['plan_limit_exceeded'];

/** The envelope of the platform page, with a product's names in the field `product`. */
export function platformShape(productNames: readonly string[]): EnvelopeShape {
	return {
		id: 'E1',
		mark: 'api_version',
		schema: z.object({
			id: text,
			type: text,
			product: z.enum(productNames),
			timestamp: text,
			api_version: text,
			data: z.object({}),
		}),
	};
}

/** `X-Misar-Signature: sha256=<hex>` over the body. */
export const platformScheme: SignatureScheme = {
	id: 'platform',
	name: 'X-Misar-Signature with sha256=',
	description: 'As on the Misar platform page: the body alone is signed',
	kind: 'hmac',
	header: 'x-misar-signature',
	layout: { type: 'hex', prefixes: ['sha256='] },
	signed: 'body',
	auto: true,
};

/** The top-level id of a body. */
export function idIn({ id }: IDataObject): string | undefined {
	return typeof id === 'string' && id !== '' ? id : undefined;
}

/** How deliveries of a product are read; those with envelopes of their own add their shapes. */
export function platformEnvelope(...productNames: readonly string[]): EnvelopeFacts {
	return {
		shapes: [platformShape(productNames)],
		eventFields: ['type', 'event'],
		eventHeaders: ['x-misar-event'],
		productNames,
		timeFields: ['timestamp', 'createdAt', 'created_at'],
		// "Use the event `id` field as an idempotency key."
		idempotencyKey: idIn,
		testEvents: ['ping', 'test', 'webhook.ping', 'webhook.test'],
		retried: true,
		// "Return a 2xx status within 10 seconds"; Reach and Post do not say.
		answerWithinSeconds: 10,
	};
}

/** A product of which only the deliveries are documented: its URL is added in the dashboard. */
function deliveriesOnly(
	product: string,
	displayName: string,
	description: string,
	events: readonly EventFact[],
	dashboard = `the dashboard of ${displayName}`,
): Provider {
	return {
		id: 'misar',
		product,
		displayName,
		description,
		credentialType: 'misarApi',
		baseUrl: BASE_URL,
		events,
		sample: platformSample(product),
		schemes: [platformScheme],
		envelope: platformEnvelope(product),
		defaultRegistration: 'manual',
		manualSteps: [
			`Open ${dashboard} and go to Settings → Webhooks. Add a webhook with the URL and the same events as below.`,
			'Copy the signing secret to Signing Secret in the credential.',
		],
	};
}

export const misarDev = deliveriesOnly(
	'dev',
	'Misar.Dev',
	'Plugins installed, updated and removed; agent runs',
	[
		{
			name: 'plugin.installed',
			label: 'Plugin Installed',
			description: 'A plugin was installed',
			howTo: 'Install a plugin',
		},
		{
			name: 'plugin.updated',
			label: 'Plugin Updated',
			description: 'A plugin was updated',
			howTo: 'Update an installed plugin',
		},
		{
			name: 'plugin.uninstalled',
			label: 'Plugin Uninstalled',
			description: 'A plugin was removed',
			howTo: 'Remove a plugin',
		},
		{
			name: 'agent.run.completed',
			label: 'Agent Run Completed',
			description: 'A run of an agent finished',
			howTo: 'Run an agent with a small task',
		},
		{
			name: 'agent.run.failed',
			label: 'Agent Run Failed',
			description: 'A run of an agent ended without a result',
			howTo: 'Run an agent with a task that it cannot do, or stop its run',
		},
	],
	// Its page of API keys (docs.misar.io).
	'<a href="https://www.misar.dev" target="_blank">Misar.Dev</a>',
);

export const misarAi = deliveriesOnly(
	'ai',
	'Misar.ai',
	'Projects created, deploys succeeded and failed. Misar announces this product as coming soon.',
	[
		{
			name: 'project.created',
			label: 'Project Created',
			description: 'A project was created',
			howTo: 'Create a project',
		},
		{
			name: 'deploy.succeeded',
			label: 'Deploy Succeeded',
			description: 'A deploy went live',
			howTo: 'Deploy a project',
		},
		{
			name: 'deploy.failed',
			label: 'Deploy Failed',
			description: 'A deploy did not go live',
			howTo: 'Deploy a project whose build is broken',
		},
	],
);

export const misarInk = deliveriesOnly(
	'ink',
	'Misar.Ink',
	'Misar announces this product as coming soon and names no events yet',
	[],
);
