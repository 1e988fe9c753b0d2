import { expect, it } from '@jest/globals';
import type { INode, IWebhookFunctions } from 'n8n-workflow';

import { readSettings } from '../../nodes/shared/settings';
import { allProviders } from './allProviders';

const node: INode = {
	...{ id: 'n', name: 'Trigger', type: 't', typeVersion: 1 },
	position: [0, 0],
	parameters: { events: ['*'], options: { acceptUnverified: true } },
};

// The editor offers the option nowhere else, but a workflow can come from a file.
it.each(allProviders)(
	'$displayName takes unverified deliveries only where its documents let a webhook do without a secret',
	(provider) => {
		const context: Partial<IWebhookFunctions> = {
			getNode: () => node,
			getNodeParameter: (name: string) => node.parameters[name] as never,
		};
		const { acceptUnverified } = readSettings(context as IWebhookFunctions, provider);
		expect(acceptUnverified).toBe(['misarBlog', 'mailPanda'].includes(provider.id));
	},
);
