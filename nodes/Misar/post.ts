import { z } from 'zod/v4';

import type { Provider } from '../shared/provider';
import {
	BASE_URL,
	idIn,
	PLAN_REFUSALS,
	platformEnvelope,
	platformScheme,
	platformShape,
	UNCONFIRMED_EVENT,
} from './platform';
import { postSample } from './samples';

/** The platform page calls the product "social". */
const PRODUCT_NAMES = ['social', 'post'];

/**
 * Misar Post, also called Misar Social, after its help page, its MCP server's tools and the platform page. Their lists
 * of events differ: all can be chosen, but "all" registers only those of the tools.
 */
export const misarPost: Provider = {
	id: 'misar',
	product: 'post',
	displayName: 'Misar Post',
	description: 'Posts published, scheduled, approved and failed; accounts; trends and findings',
	credentialType: 'misarApi',
	baseUrl: BASE_URL,
	apiRoots: ['/post'],
	events: [
		{
			name: 'post.published',
			label: 'Post Published',
			description: 'A post was published to a platform',
			howTo: 'Publish a post to an account that only you see',
		},
		{
			name: 'post.failed',
			label: 'Post Failed',
			description: 'A post could not be published; the data says why',
			howTo: 'Disconnect an account at the network, then publish a post to it',
		},
		{
			name: 'post.scheduled',
			label: 'Post Scheduled',
			description: 'A post was added to the queue',
			howTo: 'Schedule a post; you can delete it afterwards',
			unconfirmed: UNCONFIRMED_EVENT,
		},
		{
			name: 'post.approved',
			label: 'Post Approved',
			description: 'A variant of a post was approved',
			howTo: 'Approve a variant of a draft',
			unconfirmed: UNCONFIRMED_EVENT,
		},
		{
			name: 'account.disconnected',
			label: 'Account Disconnected',
			description: 'The connection to an account was lost',
			howTo: 'Revoke the access of Misar Post in the settings of a connected account',
		},
		{
			name: 'codeshield.finding',
			label: 'CodeShield Finding',
			description: 'CodeShield found something new',
			howTo: 'Let CodeShield check code with a known weakness',
			unconfirmed: UNCONFIRMED_EVENT,
		},
		{
			name: 'trendpulse.rising',
			label: 'TrendPulse Rising',
			description: 'A keyword entered the Rising stage',
			howTo: 'Track a keyword of the day, and wait until it rises',
			unconfirmed: UNCONFIRMED_EVENT,
		},
		{
			name: 'campaign.completed',
			label: 'Campaign Completed',
			description: 'A campaign finished',
			howTo: 'Let a campaign of one post end',
			unconfirmed: UNCONFIRMED_EVENT,
		},
	],
	sample: postSample,
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
		// The help page's own body has `event`; a `type` beside it is not documented.
		eventFields: ['event', 'type'],
		// Only the platform's envelope documents an id.
		idempotencyKey: (body) => ('api_version' in body ? idIn(body) : undefined),
		pingsOnCreate: true,
	},
	api: {
		// The tools list, create, update and delete; the paths are inferred from the sister products.
		paths: ['/post/webhooks'],
		itemStyles: [{ id: 'path', update: 'PATCH' }],
		eventsFormat: 'list',
		sendsSecret: 'never',
		requiredPermissions: 'that may manage webhooks',
		operations: { update: 'unconfirmed', delete: 'unconfirmed' },
	},
	planRefusals: PLAN_REFUSALS,
	defaultRegistration: 'automatic',
	manualSteps: [
		'Enter 32 random characters as Signing Secret in the credential for now, and publish this workflow: Misar Post sends a test ping as soon as you add the URL.',
		'Open <a href="https://post.misar.io" target="_blank">Misar Post</a> and go to Settings → Integrations → Webhooks → Add Webhook. Paste the URL, choose the same events as below and save.',
		'Copy the signing secret, which is shown only once, to Signing Secret in the credential.',
	],
};
