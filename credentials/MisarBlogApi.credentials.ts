import {
	CREDENTIAL_EMPTY_VALUE,
	type ICredentialDataDecryptedObject,
	type ICredentialType,
	type Icon,
	type IHttpRequestOptions,
	type INodeProperties,
} from 'n8n-workflow';

export class MisarBlogApi implements ICredentialType {
	name = 'misarBlogApi';

	displayName = 'Misar.Blog API';

	icon: Icon = {
		light: 'file:../nodes/MisarBlog/misarBlog.svg',
		dark: 'file:../nodes/MisarBlog/misarBlog.dark.svg',
	};

	documentationUrl =
		'https://github.com/n8n-nodes-misar-metigan/n8n-nodes-misar-metigan/blob/main/docs/providers.md#misarblog-credential';

	properties: INodeProperties[] = [
		{
			displayName: 'API Key',
			name: 'apiKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'Leave empty: only needed for articles and missed events',
			description:
				'Needed for Recover Missed Events and for the action node: Misar.Blog dashboard → Settings → API. The trigger receives events without it.',
		},
		{
			displayName: 'Signing Secret',
			name: 'signingSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. 4f9c2ab8e1d7… Ask Misar for it',
			description:
				'The value Misar.Blog sends in the header X-Webhook-Secret. The whole platform has one secret: ask Misar for it if you do not have it.',
		},
		{
			displayName: 'Previous Signing Secret',
			name: 'previousSigningSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'Only while you change the secret',
			description: 'Also accepted while the secret changes; clear it afterwards',
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

	/** How the nodes test it (nodes/shared/credentialTest.ts). */
	check = {
		path: '/blog/v1/me',
		messages: {
			401: 'Misar.Blog did not accept the API key. Copy the key again, or leave it empty: the trigger works without one.',
			404: 'There is no Misar.Blog API at this Base URL.',
		},
	};
}
