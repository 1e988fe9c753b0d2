import type {
	ICredentialDataDecryptedObject,
	ICredentialTestRequest,
	ICredentialType,
	Icon,
	IHttpRequestOptions,
	INodeProperties,
} from 'n8n-workflow';

import { REDIRECT_RULES } from './redirectRules';

export class MetiganApi implements ICredentialType {
	name = 'metiganApi';

	displayName = 'Metigan API';

	icon: Icon = {
		light: 'file:../nodes/Metigan/metigan.svg',
		dark: 'file:../nodes/Metigan/metigan.dark.svg',
	};

	documentationUrl = 'https://docs.metigan.com/docs/guides/webhook-integration';

	properties: INodeProperties[] = [
		{
			displayName: 'API Key',
			name: 'apiKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. mtg_live_…',
			description:
				'Needed for automatic registration: Metigan dashboard → Settings → API Keys. Leave empty when you add the webhook URL by hand.',
		},
		{
			displayName: 'Signing Secret',
			name: 'signingSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. whsec_…',
			description:
				'The signing key that Metigan shows once when a webhook is added. Verifies deliveries; needed for manual registration.',
		},
		{
			displayName: 'Previous Signing Secret',
			name: 'previousSigningSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. whsec_…',
			description:
				'Also accepted while you change the secret: move the old one here and enter the new one above. Triggers with automatic registration pass it on at their next check, within 30 minutes by default. Clear this field a day later.',
		},
		{
			displayName: 'Base URL',
			name: 'baseUrl',
			type: 'string',
			default: 'https://api.metigan.com',
			placeholder: 'e.g. https://eu.api.metigan.com',
			description:
				'Address of the Metigan API; accounts in a region have their own. If this one does not answer, enter https://api.metigan.io, which the newest Metigan SDK calls.',
		},
	];

	async authenticate(
		credentials: ICredentialDataDecryptedObject,
		request: IHttpRequestOptions,
	): Promise<IHttpRequestOptions> {
		const proof = { 'x-api-key': String(credentials['apiKey']) };
		return { ...request, headers: { ...request.headers, ...proof } };
	}

	test: ICredentialTestRequest = {
		request: {
			// n8n would send the key along to another host.
			disableFollowRedirect: true,
			baseURL: '={{$credentials.baseUrl.replace(/\\/+$/, "")}}',
			url: '/api/templates',
			qs: { page: 1, limit: 1 },
		},
		rules: [
			...REDIRECT_RULES,
			{
				type: 'responseCode',
				properties: {
					value: 401,
					message:
						'Metigan did not accept the API key. For manual registration no key is needed and this can be ignored; otherwise copy the key again.',
				},
			},
			{
				type: 'responseCode',
				properties: {
					value: 403,
					message: 'Metigan refused the API key: it is not valid or only allows sending emails.',
				},
			},
			{
				type: 'responseCode',
				properties: {
					value: 404,
					message: 'There is no Metigan API at this Base URL. Try https://api.metigan.io.',
				},
			},
		],
	};
}
