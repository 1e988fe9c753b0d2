import type { ICredentialDataDecryptedObject, IHookFunctions } from 'n8n-workflow';

import { settingsError, type NodeContext } from './errors';

/** The secrets and the address a credential holds; fields a credential type lacks are empty. */
export interface ProviderCredential {
	/** The product it is for, where the credential type has several. */
	readonly product: string;
	readonly baseUrl: string;
	/** What opens the API: the API key, or the password of a login. Empty = the API cannot be called. */
	readonly apiSecret: string;
	/** `apiSecret` is a password that a person chose. */
	readonly apiSecretTyped: boolean;
	readonly signingSecret: string;
	readonly previousSigningSecret: string;
	/** Every secret in it, including those of the sign-in method that is not chosen, to keep out of texts. */
	readonly secrets: readonly string[];
	/** As n8n gave it, to call the API with. */
	readonly decrypted: ICredentialDataDecryptedObject;
}

/** The field in which n8n keeps a session that a login has opened. */
export const SESSION_TOKEN = 'sessionToken';

const SECRET_FIELDS = [
	'apiKey',
	'password',
	SESSION_TOKEN,
	'signingSecret',
	'previousSigningSecret',
] as const;

/** Reads the credential. @throws what n8n throws when none is set, or NodeOperationError */
export async function readCredential(
	context: NodeContext & Pick<IHookFunctions, 'getCredentials'>,
	provider: { readonly credentialType: string; readonly displayName: string },
): Promise<ProviderCredential> {
	const data = await context.getCredentials(provider.credentialType);
	const field = (name: string): string => {
		const value = data[name] ?? '';
		if (typeof value === 'string') return value;
		throw settingsError(
			context,
			`The ${provider.displayName} credential has a field that is not text`,
			'Open the credential, enter its fields again and save it',
		);
	};
	// Taken verbatim, except that a blank field counts as empty: anybody could sign with white space.
	const secret = (name: string) => (field(name).trim() === '' ? '' : field(name));
	const apiKey = field('apiKey').trim();
	return {
		product: field('product'),
		baseUrl: field('baseUrl').trim(),
		apiSecret: apiKey || field('password'),
		apiSecretTyped: apiKey === '',
		signingSecret: secret('signingSecret'),
		previousSigningSecret: secret('previousSigningSecret'),
		secrets: SECRET_FIELDS.map((name) => field(name).trim()),
		decrypted: data,
	};
}
