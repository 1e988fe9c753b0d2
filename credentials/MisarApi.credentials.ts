import type {
	IAuthenticateGeneric,
	ICredentialTestRequest,
	ICredentialType,
	Icon,
	INodeProperties,
} from 'n8n-workflow';

export class MisarApi implements ICredentialType {
	name = 'misarApi';

	displayName = 'Misar API';

	icon: Icon = {
		light: 'file:../nodes/Misar/misar.svg',
		dark: 'file:../nodes/Misar/misar.dark.svg',
	};

	documentationUrl = 'https://misar.io/docs/webhooks';

	properties: INodeProperties[] = [
		{
			displayName: 'Product',
			name: 'product',
			type: 'options',
			options: [{ name: 'Misar Mail', value: 'mail' }],
			default: 'mail',
			description: 'The product the key belongs to. Misar keys work for one product only.',
		},
		{
			displayName: 'API Key',
			name: 'apiKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. msk_…',
			description:
				'Needed for automatic registration. For Misar Mail: Dashboard → Developers → API keys. Leave empty when you add the webhook URL by hand.',
		},
		{
			displayName: 'Signing Secret',
			name: 'signingSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. whsec_…',
			description:
				'Verifies deliveries. With automatic registration it is sent to Misar; leave it empty to have one generated for each trigger. With manual registration copy it from the dashboard.',
		},
		{
			displayName: 'Previous Signing Secret',
			name: 'previousSigningSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			description:
				'Also accepted while you change the secret: move the old one here, enter the new one above, publish the workflows again, then clear this field',
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

	authenticate: IAuthenticateGeneric = {
		type: 'generic',
		properties: { headers: { Authorization: '=Bearer {{$credentials.apiKey}}' } },
	};

	test: ICredentialTestRequest = {
		request: {
			baseURL: '={{$credentials.baseUrl.replace(/\\/+$/, "")}}',
			url: '/mail/v1/webhooks',
		},
		rules: [
			{
				type: 'responseCode',
				properties: {
					value: 401,
					message: 'Misar did not accept the API key. Copy a live key of the chosen product again.',
				},
			},
			{
				type: 'responseCode',
				properties: {
					value: 403,
					message:
						'The API key works but may not manage webhooks. Allow that for the key, or use manual registration in the trigger.',
				},
			},
			{
				type: 'responseCode',
				properties: {
					value: 404,
					message: 'There is no Misar API at this Base URL.',
				},
			},
		],
	};
}
