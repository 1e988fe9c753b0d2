import type { Provider } from '../provider';
import { randomId } from '../signing';
import type { Named, ProviderId } from '../types';
import { exponential } from './common';
import { platformEnvelope, platformEvents, platformScheme } from './misarScheme';

const THREE_DAYS = 72 * 3600;

/** Products of which the platform page shows deliveries only: endpoints come from the dashboard. */
function platformProduct(
	id: ProviderId,
	title: string,
	product: string,
	keyPrefix: string,
	events: readonly Named[],
): Provider {
	return {
		id,
		title,
		events,
		schemes: [platformScheme],
		envelopes: [platformEnvelope('platform', product)],
		// "exponential backoff (up to 72 hours)"; off after three days of 5xx (misar.io/docs/webhooks).
		retry: {
			delaysSeconds: exponential(7, 4, THREE_DAYS),
			timeoutSeconds: 10,
			disableAfterServerErrorSeconds: THREE_DAYS,
		},
		keyPrefix,
		newEndpointId: () => randomId('wh_'),
		newSecret: () => randomId('whsec_', 32),
		newEventId: () => randomId('evt_'),
		// Names without shapes: the page describes no field of these events.
		sampleData: ({ event, at }) => ({
			id: `${event.split('.')[0]}_01j9abc`,
			occurred_at: at.replace(/\.\d{3}Z$/, 'Z'),
		}),
	};
}

/** Misar.Dev. */
export const misarDev = platformProduct(
	'misar.dev',
	'Misar.Dev',
	'dev',
	'mdk_',
	platformEvents(
		'plugin.installed',
		'plugin.updated',
		'plugin.uninstalled',
		'agent.run.completed',
		'agent.run.failed',
	),
);

/** Misar.ai, "Coming Soon"; neither its product word nor a key prefix is documented. */
export const misarAi = platformProduct(
	'misar.ai',
	'Misar.ai',
	'ai',
	'mai_',
	platformEvents('project.created', 'deploy.succeeded', 'deploy.failed'),
);

/** Misar.Ink, "Coming Soon" without event names; neither its product word nor a key prefix is documented. */
export const misarInk = platformProduct('misar.ink', 'Misar.Ink', 'ink', 'mik_', []);
