import { z } from 'zod/v4';

import type { Provider } from '../shared/provider';
import {
	BASE_URL,
	idIn,
	PLAN_REFUSALS,
	platformEnvelope,
	platformScheme,
	UNCONFIRMED_EVENT,
} from './platform';
import { platformSample } from './samples';

/**
 * Misar Reach, after its SDKs (list and create only, the secret shown once, a closed set of events). The platform page
 * names other events: they can be chosen, but "all" registers only those of the SDKs.
 */

export const misarReach: Provider = {
	id: 'misar',
	product: 'reach',
	displayName: 'Misar Reach',
	description: 'Replies, deals won and lost, lead searches and campaigns',
	credentialType: 'misarApi',
	baseUrl: BASE_URL,
	apiRoots: ['/reach/api', '/reach'],
	events: [
		{
			name: 'reply.received',
			label: 'Reply Received',
			description: 'A contact replied to a message',
			howTo: 'Reply to a message that a sequence sent to a mailbox of your own',
		},
		{
			name: 'deal.won',
			label: 'Deal Won',
			description: 'A deal was won',
			howTo: 'Move a deal of your own to Won',
		},
		{
			name: 'deal.lost',
			label: 'Deal Lost',
			description: 'A deal was lost',
			howTo: 'Move a deal of your own to Lost',
		},
		{
			name: 'lead_search.completed',
			label: 'Lead Search Completed',
			description: 'A search for leads finished',
			howTo: 'Run a small search for leads and wait for its end',
		},
		{
			name: 'campaign.completed',
			label: 'Campaign Completed',
			description: 'A campaign finished',
			howTo: 'Run a campaign to yourself alone until its end',
		},
		{
			name: 'lead.found',
			label: 'Lead Found',
			description: 'A lead was found',
			howTo: 'Run a search for leads that finds some',
			unconfirmed: UNCONFIRMED_EVENT,
		},
		{
			name: 'campaign.sent',
			label: 'Campaign Sent',
			description: 'A campaign was sent',
			howTo: 'Send a campaign to yourself alone',
			unconfirmed: UNCONFIRMED_EVENT,
		},
		{
			name: 'deal.updated',
			label: 'Deal Updated',
			description: 'A deal was changed',
			howTo: 'Change a field of a deal',
			unconfirmed: UNCONFIRMED_EVENT,
		},
		{
			name: 'contact.replied',
			label: 'Contact Replied',
			description: 'A contact replied',
			howTo: 'Reply to a message that you sent to a mailbox of your own',
			unconfirmed: UNCONFIRMED_EVENT,
		},
	],
	sample: platformSample('reach'),
	schemes: [
		{
			id: 'reach',
			name: 'X-Reach-Signature',
			description: 'A timestamp is signed with the body, so old deliveries are refused',
			kind: 'hmac',
			header: 'x-reach-signature',
			// The encoding is not documented: bare hex, with the prefixes of the sister products tolerated.
			layout: { type: 'hex', prefixes: ['', 'sha256=', 'v1='] },
			signed: 'timestamp.body',
			timestampHeader: 'x-reach-timestamp',
			auto: true,
		},
		// The platform page claims its signature for every product.
		platformScheme,
	],
	// The body of Reach's deliveries is not documented: any object is accepted, and an id may be the deal's.
	envelope: {
		...platformEnvelope('reach'),
		shapes: [
			{ id: 'any', mark: 'type', schema: z.object({ product: z.literal('reach').optional() }) },
		],
		idempotencyKey: () => undefined,
		keyPrefix: idIn,
	},
	api: {
		paths: ['/reach/api/webhooks/endpoints'],
		itemStyles: [{ id: 'path', update: 'PATCH' }],
		eventsFormat: 'list',
		sendsSecret: 'never',
		requiredPermissions: 'that may manage webhooks',
		operations: { delete: 'unconfirmed' },
		createExtras: ({ workflowId, nodeName }) => ({
			description: `n8n workflow ${workflowId}, node ${nodeName}`,
		}),
	},
	planRefusals: PLAN_REFUSALS,
	defaultRegistration: 'automatic',
	manualSteps: [
		'Open <a href="https://reach.misar.io" target="_blank">Misar Reach</a> and go to its webhook settings. Add a webhook with the URL and the same events as below.',
		'Copy the signing secret, which is shown only once, to Signing Secret in the credential.',
	],
};
