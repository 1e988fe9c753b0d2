import {
	CREDENTIAL_EMPTY_VALUE,
	type ICredentialDataDecryptedObject,
	type ICredentialType,
	type Icon,
	type IHttpRequestOptions,
	type INodeProperties,
} from 'n8n-workflow';

export class MetiganApi implements ICredentialType {
	name = 'metiganApi';

	displayName = 'Metigan API';

	icon: Icon = {
		light: 'file:../nodes/Metigan/metigan.svg',
		dark: 'file:../nodes/Metigan/metigan.dark.svg',
	};

	documentationUrl =
		'https://github.com/n8n-nodes-misar-metigan/n8n-nodes-misar-metigan/blob/main/docs/providers.md#metigan-credential';

	properties: INodeProperties[] = [
		{
			displayName: 'API Key',
			name: 'apiKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. mtg_live_… Leave empty to register by hand',
			description:
				'Needed for automatic registration, Recover Missed Events and the action node: Metigan dashboard → Settings → API Keys. Otherwise leave it empty.',
		},
		{
			displayName: 'Signing Secret',
			name: 'signingSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. whsec_… Leave empty with an API key: one is generated',
			description:
				'The signing key that Metigan shows once when a webhook is added. Verifies deliveries; needed for manual registration.',
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
			default: 'https://api.metigan.com',
			placeholder: 'e.g. https://eu.api.metigan.com',
			description:
				'Address of the Metigan API; regional accounts have their own. If this one does not answer, enter https://api.metigan.io, which the newest Metigan SDK calls.',
		},
	];

	async authenticate(
		credentials: ICredentialDataDecryptedObject,
		request: IHttpRequestOptions,
	): Promise<IHttpRequestOptions> {
		const proof = { 'x-api-key': String(credentials['apiKey']) };
		return { ...request, headers: { ...request.headers, ...proof } };
	}

	/** How the nodes test it (nodes/shared/credentialTest.ts). */
	check = {
		path: '/api/templates?page=1&limit=1',
		messages: {
			401: 'Metigan did not accept the API key. Copy the key again, or leave it empty for manual registration.',
			403: 'Metigan refused the API key: it is not valid or only allows sending emails.',
			404: 'There is no Metigan API at this Base URL. Try https://api.metigan.io.',
		},
	};
}
