import { z } from 'zod/v4';

import type { Provider } from '../shared/provider';
import { idIn, platformEnvelope, platformScheme, platformShape } from './platform';

/** The platform page calls the product "social". */
const PRODUCT_NAMES = ['social', 'post'];

/**
 * Misar Post, also called Misar Social, after its help page, its MCP server's tools and the platform
 * page. Their lists of events differ: all of them are offered.
 */
export const misarPost: Provider = {
	id: 'misar',
	product: 'post',
	displayName: 'Misar Post',
	description: 'Posts published, scheduled, approved and failed; accounts; trends and findings',
	credentialType: 'misarApi',
	events: [
		{
			name: 'post.published',
			label: 'Post Published',
			description: 'A post was published to a platform',
		},
		{
			name: 'post.failed',
			label: 'Post Failed',
			description: 'A post could not be published; the data says why',
		},
		{
			name: 'post.scheduled',
			label: 'Post Scheduled',
			description: 'A post was added to the queue',
		},
		{
			name: 'post.approved',
			label: 'Post Approved',
			description: 'A variant of a post was approved',
		},
		{
			name: 'account.disconnected',
			label: 'Account Disconnected',
			description: 'The connection to an account was lost',
		},
		{
			name: 'codeshield.finding',
			label: 'CodeShield Finding',
			description: 'CodeShield found something new',
		},
		{
			name: 'trendpulse.rising',
			label: 'TrendPulse Rising',
			description: 'A keyword entered the Rising stage',
		},
		{
			name: 'campaign.completed',
			label: 'Campaign Completed',
			description: 'A campaign finished',
		},
	],
	schemes: [
		{
			...platformScheme,
			name: 'X-Misar-Signature',
			description:
				'The body alone is signed; the sources differ on a sha256= in front, both are read',
			kind: 'hmac',
			layout: { type: 'hex', prefixes: ['sha256=', ''] },
			signed: 'body',
		},
	],
	envelope: {
		...platformEnvelope(...PRODUCT_NAMES),
		shapes: [
			{
				id: 'social',
				mark: 'event',
				schema: z.object({ event: z.string(), timestamp: z.string(), data: z.object({}) }),
			},
			platformShape(PRODUCT_NAMES),
		],
		// The help page's own body has `event`; a `type` beside it is in no document.
		eventFields: ['event', 'type'],
		// Only the platform's envelope documents an id.
		idempotencyKey: (body) => ('api_version' in body ? idIn(body) : undefined),
		pingsOnCreate: true,
	},
	api: {
		// Inferred from the sister products: no document gives the path.
		paths: ['/post/webhooks'],
		itemStyles: [{ id: 'path', update: 'PATCH' }],
		eventsFormat: 'list',
		sendsSecret: 'never',
		operations: { delete: 'unconfirmed' },
	},
	defaultRegistration: 'automatic',
	manualSteps:
		'Enter 32 random characters as signing secret for now and publish this workflow. Then open <a href="https://post.misar.io" target="_blank">Misar Post</a>, go to Settings → Integrations → Webhooks → Add Webhook, paste the URL with the same events and save: the test ping is answered. Copy the signing secret, which it shows only once.',
};
