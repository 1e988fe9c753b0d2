import type { Resource } from '../provider';

/** What the operations that several providers have work on. */
export const RESOURCES = {
	delivery: {
		name: 'Delivery',
		value: 'delivery',
		description: 'An attempt of the provider to send an event to an endpoint',
	},
	endpoint: {
		name: 'Endpoint',
		value: 'endpoint',
		description: 'A webhook URL that the provider sends events to',
	},
	event: {
		name: 'Event',
		value: 'event',
		description: 'What a provider reports, as the trigger outputs it',
	},
	signature: {
		name: 'Signature',
		value: 'signature',
		description: 'The proof that a delivery comes from the provider and was not changed',
	},
} as const satisfies Record<string, Resource>;
