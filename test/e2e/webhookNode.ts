import type { NodeDefinition } from '../../testkit/n8n-host/driver';

/** n8n's own Webhook node, whose URL ends with a path. */
export function webhookNode(
	path: string,
	parameters: Readonly<Record<string, unknown>> = {},
	name = 'Webhook',
): NodeDefinition {
	return {
		name,
		type: 'n8n-nodes-base.webhook',
		typeVersion: 2,
		webhookId: path,
		parameters: { path, httpMethod: 'POST', ...parameters },
	};
}
