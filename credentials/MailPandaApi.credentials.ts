import {
	CREDENTIAL_EMPTY_VALUE,
	type ICredentialDataDecryptedObject,
	type ICredentialType,
	type Icon,
	type IDataObject,
	type IHttpRequestHelper,
	type IHttpRequestOptions,
	type INodeProperties,
} from 'n8n-workflow';
import { z } from 'zod';

/** Mail Panda's session cookie; valid 7 days (mailpanda.io/docs/authentication). */
const SESSION_COOKIE = 'admin_token';

const loginHeaders = z.object({ 'set-cookie': z.array(z.string()).default([]) });

export class MailPandaApi implements ICredentialType {
	name = 'mailPandaApi';

	displayName = 'Mail Panda API';

	icon: Icon = {
		light: 'file:../nodes/MailPanda/mailPanda.svg',
		dark: 'file:../nodes/MailPanda/mailPanda.dark.svg',
	};

	documentationUrl =
		'https://github.com/n8n-nodes-misar-metigan/n8n-nodes-misar-metigan/blob/main/docs/providers.md#mail-panda-credential';

	properties: INodeProperties[] = [
		{
			displayName: 'Sign In With',
			name: 'authentication',
			type: 'options',
			options: [
				{ name: 'API Key', value: 'apiKey', description: 'A key made in the Mail Panda dashboard' },
				{
					name: 'Email and Password',
					value: 'session',
					description: 'The login of an administrator',
				},
			],
			default: 'apiKey',
			description:
				'The documentation confirms API keys for sending only. If the test of this credential refuses yours, sign in with email and password.',
		},
		{
			displayName: 'API Key',
			name: 'apiKey',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. em_prod_… Leave empty to register by hand',
			description:
				'Needed for automatic registration and the action node: a key made in the Mail Panda dashboard. Otherwise leave it empty.',
			displayOptions: { show: { authentication: ['apiKey'] } },
		},
		{
			displayName: 'Email',
			name: 'email',
			type: 'string',
			default: '',
			placeholder: 'e.g. admin@your-company.com',
			description: 'Email address that you sign in to Mail Panda with',
			displayOptions: { show: { authentication: ['session'] } },
		},
		{
			displayName: 'Password',
			name: 'password',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'e.g. your Mail Panda password',
			description: 'Password for this email address',
			displayOptions: { show: { authentication: ['session'] } },
		},
		{
			displayName: 'Session Token',
			name: 'sessionToken',
			type: 'hidden',
			typeOptions: { expirable: true, password: true },
			default: '',
		},
		{
			displayName: 'Signing Secret',
			name: 'signingSecret',
			type: 'string',
			typeOptions: { password: true },
			default: '',
			placeholder: 'Leave empty to register automatically: one is generated',
			description:
				'Verifies deliveries. With automatic registration it is sent to Mail Panda; leave it empty to have one generated for each trigger.',
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
			default: 'https://www.mailpanda.io',
			placeholder: 'e.g. https://mail.your-company.com',
			description: 'Address of your Mail Panda installation',
		},
	];

	/** Signs in for the session mode; n8n keeps the token and calls this again when it expires. */
	async preAuthentication(
		this: IHttpRequestHelper,
		credentials: ICredentialDataDecryptedObject,
	): Promise<IDataObject> {
		if (credentials['authentication'] !== 'session') return {};
		// n8n loads every credential at its start; this is not needed before a login.
		const { Refused, requestWithin } = await import('../nodes/shared/limitedRequest');
		const { urlBelow } = await import('../nodes/shared/url');
		const { email, password } = credentials;
		const answer = await requestWithin(
			async (options): Promise<unknown> => await this.helpers.httpRequest(options),
			{
				method: 'POST',
				url: urlBelow(String(credentials['baseUrl']), '/api/auth'),
				body: { action: 'login', email, password },
			},
		);
		if (answer.statusCode >= 300) throw new Refused(answer);
		const headers = loginHeaders.parse(answer.headers);
		const cookie = headers['set-cookie'].find((text) => text.startsWith(`${SESSION_COOKIE}=`));
		return { sessionToken: cookie?.split(';')[0]?.slice(SESSION_COOKIE.length + 1) ?? '' };
	}

	async authenticate(
		credentials: ICredentialDataDecryptedObject,
		request: IHttpRequestOptions,
	): Promise<IHttpRequestOptions> {
		const proof =
			credentials['authentication'] === 'session'
				? { Cookie: `${SESSION_COOKIE}=${String(credentials['sessionToken'])}` }
				: { Authorization: `Bearer ${String(credentials['apiKey'])}` };
		return { ...request, headers: { ...request.headers, ...proof } };
	}

	/** How the nodes test it (nodes/shared/credentialTest.ts). */
	check = {
		path: '/api/webhooks/manage',
		messages: {
			401: 'Mail Panda did not accept the credential. Check the key or the password; if an API key is refused, sign in with email and password.',
			404: 'There is no Mail Panda at this Base URL.',
		},
	};
}
