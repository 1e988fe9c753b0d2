import {
	CREDENTIAL_EMPTY_VALUE,
	type ICredentialDataDecryptedObject,
	type ICredentialType,
	type Icon,
	type IHttpRequestOptions,
	type INodeProperties,
} from 'n8n-workflow';

export class MisarApi implements ICredentialType {
	name = 'misarApi';

	displayName = 'Misar API';

	icon: Icon = {
		light: 'file:../nodes/Misar/misar.svg',
		dark: 'file:../nodes/Misar/misar.dark.svg',
	};

	documentationUrl =
		'https://github.com/n8n-nodes-misar-metigan/n8n-nodes-misar-metigan/blob/main/docs/providers.md#misar-credential';

	properties: INodeProperties[] = [
		{
			displayName: 'Product',
			name: 'product',
			type: 'options',
			options: [
				{ name: 'Misar Mail', value: 'mail', description: 'Emails and campaigns' },
				{ name: 'Misar Post', value: 'post', description: 'Posts on social networks' },
				{ name: 'Misar Reach', value: 'reach', description: 'Leads, replies and deals' },
				{ name: 'Misar.ai', value: 'ai', description: 'Projects and deploys' },
				{ name: 'Misar.Dev', value: 'dev', description: 'Plugins and agents' },
				{ name: 'Misar.Ink', value: 'ink', description: 'Announced by Misar as coming soon' },
			],
			default: 'mail',
			description: 'The product the key belongs to. Misar keys work for one product only.',
		},
		{
			displayName: 'API Key',
			name: 'apiKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. msk_… Leave empty to register by hand',
			description:
				'Needed for automatic registration and the action node: settings of the product → API keys. Otherwise leave it empty.',
		},
		{
			displayName: 'Signing Secret',
			name: 'signingSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'Leave empty with an API key: one is generated',
			description:
				'Verifies deliveries. With automatic registration it is sent to Misar; leave it empty to have one generated for each trigger. With manual registration copy it from the dashboard.',
		},
		{
			displayName: 'Previous Signing Secret',
			name: 'previousSigningSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'Only while you change the secret',
			description:
				'Also accepted while you change the secret: move the old one here and enter the new one above. Triggers with automatic registration pass it on at their next check, within 30 minutes by default. Clear this field a day later.',
			displayOptions: { hide: { signingSecret: ['', CREDENTIAL_EMPTY_VALUE] } },
		},
		{
			displayName: 'Base URL',
			name: 'baseUrl',
			type: 'string',
			default: 'https://api.misar.io',
			placeholder: 'e.g. https://api.misar.io',
			description: 'Address of the Misar API, without the path of a product',
		},
	];

	async authenticate(
		credentials: ICredentialDataDecryptedObject,
		request: IHttpRequestOptions,
	): Promise<IHttpRequestOptions> {
		const proof = { Authorization: `Bearer ${String(credentials['apiKey'])}` };
		return { ...request, headers: { ...request.headers, ...proof } };
	}

	/**
	 * How the nodes test it (nodes/shared/credentialTest.ts): by a cheap call. No call is
	 * documented for Misar.Dev, Misar.ai and Misar.Ink.
	 */
	check = {
		path: {
			mail: '/mail/v1/webhooks',
			reach: '/reach/api/plan',
			post: '/post/webhooks',
		},
		messages: {
			401: 'Misar did not accept the API key. Copy a live key of the chosen product again.',
			403: 'The API key works but may not manage webhooks. Allow that for the key, or use manual registration in the trigger.',
			404: 'There is no Misar API at this Base URL.',
		},
	};
}
