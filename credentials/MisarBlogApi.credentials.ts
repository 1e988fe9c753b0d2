import type {
	ICredentialDataDecryptedObject,
	ICredentialTestRequest,
	ICredentialType,
	Icon,
	IHttpRequestOptions,
	INodeProperties,
} from 'n8n-workflow';

import { REDIRECT_RULES } from './redirectRules';

export class MisarBlogApi implements ICredentialType {
	name = 'misarBlogApi';

	displayName = 'Misar.Blog API';

	icon: Icon = {
		light: 'file:../nodes/MisarBlog/misarBlog.svg',
		dark: 'file:../nodes/MisarBlog/misarBlog.dark.svg',
	};

	documentationUrl = 'https://docs.misar.io/blog/api-reference/webhooks';

	properties: INodeProperties[] = [
		{
			displayName: 'Signing Secret',
			name: 'signingSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. 4f9c2ab8e1d7…',
			description:
				'The value Misar.Blog sends in the header X-Webhook-Secret. It is one secret of the whole platform: ask Misar for it if you do not have it.',
		},
		{
			displayName: 'Previous Signing Secret',
			name: 'previousSigningSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. 4f9c2ab8e1d7…',
			description: 'Also accepted while the secret changes; clear it afterwards',
		},
		{
			displayName: 'API Key',
			name: 'apiKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. mbk_…',
			description:
				'Optional: the trigger does not need it, only the test of this credential does. Misar.Blog dashboard → Settings → API.',
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

	test: ICredentialTestRequest = {
		request: {
			// n8n would send the key along to another host.
			disableFollowRedirect: true,
			baseURL: '={{$credentials.baseUrl.replace(/\\/+$/, "")}}',
			url: '/blog/v1/me',
		},
		rules: [
			...REDIRECT_RULES,
			{
				type: 'responseCode',
				properties: {
					value: 401,
					message:
						'Misar.Blog did not accept the API key. The trigger works without one: this can be ignored when you left it empty.',
				},
			},
			{
				type: 'responseCode',
				properties: { value: 404, message: 'There is no Misar.Blog API at this Base URL.' },
			},
		],
	};
}
