import type { ICredentialDataDecryptedObject, IHookFunctions } from 'n8n-workflow';

import { baseUrlMeant, type BaseUrlFacts } from './baseUrl';
import { settingsError, type NodeContext } from './errors';
import { flawOf, formsOf, hasFringe, requireSecret } from './secretText';

/** The secrets and the address a credential holds; fields a credential type lacks are empty. */
export interface ProviderCredential {
	/** The product it is for, where the credential type has several. */
	readonly product: string;
	readonly baseUrl: string;
	/** What calls to the API authenticate with: the API key, or the password of a login. Empty = no calls. */
	readonly apiSecret: string;
	/** `apiSecret` is a password that a person chose. */
	readonly apiSecretTyped: boolean;
	/** Empty where the field holds no secret; likewise the previous one and the API key. */
	readonly signingSecret: string;
	readonly previousSigningSecret: string;
	/** Fields that hold a masked text or a placeholder: their names in the editor, and the text. */
	readonly flawed: ReadonlyArray<readonly [field: string, text: string]>;
	/** Every secret in it, including those of the sign-in method that is not chosen, to keep out of messages. */
	readonly secrets: readonly string[];
	/** As n8n gave it, with the Base URL that is meant, to call the API with. */
	readonly decrypted: ICredentialDataDecryptedObject;
}

/** The field in which n8n keeps the token of a session after a login. */
export const SESSION_TOKEN = 'sessionToken';

const SECRET_FIELDS = [
	'apiKey',
	'password',
	SESSION_TOKEN,
	'signingSecret',
	'previousSigningSecret',
] as const;

/** The names of secrets in the editor. */
export const FIELD_NAMES = [
	['signingSecret', 'Signing Secret'],
	['previousSigningSecret', 'Previous Signing Secret'],
	['apiKey', 'API Key'],
] as const;

/** @throws NodeOperationError if a field of the credential holds a masked text or a placeholder */
export function requireSecrets(context: NodeContext, { flawed }: ProviderCredential): void {
	for (const [field, text] of flawed) requireSecret(context, `${field} in the credential`, text);
}

/** What to do where the credential holds no signing secret. */
export function howToGetSecret({
	displayName,
	whereSecretIs,
}: {
	readonly displayName: string;
	readonly whereSecretIs?: string;
}): string {
	return whereSecretIs === undefined
		? `Enter the Signing Secret of ${displayName} in the credential`
		: `${whereSecretIs}, and enter it as Signing Secret in the credential`;
}

/** A warning that names the secrets with something around them that was probably copied along. */
export function fringeWarning(credential: ProviderCredential): string | undefined {
	const fields = FIELD_NAMES.filter(
		([name]) => name !== 'apiKey' && hasFringe(credential[name]),
	).map(([, title]) => title);
	if (fields.length === 0) return undefined;
	const begins = fields.length === 1 ? 'begins or ends' : 'begin or end';
	return `The ${fields.join(' and the ')} in the credential ${begins} with white space, a quote or an invisible character. Deliveries are verified with and without this character. Correct the credential if it is not part of the secret`;
}

/** Reads the credential. @throws what n8n throws when none is set, or NodeOperationError */
export async function readCredential(
	context: NodeContext & Pick<IHookFunctions, 'getCredentials'>,
	provider: BaseUrlFacts & { readonly credentialType: string; readonly displayName: string },
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
	const secret = (name: string) => (flawOf(field(name)) === undefined ? field(name) : '');
	const apiKey = secret('apiKey').trim();
	// People may choose a password that looks like a masked one.
	const password = flawOf(field('password')) === 'empty' ? '' : field('password');
	const baseUrl = baseUrlMeant(field('baseUrl'), provider);
	return {
		product: field('product'),
		baseUrl,
		apiSecret: apiKey || password,
		apiSecretTyped: apiKey === '',
		signingSecret: secret('signingSecret'),
		previousSigningSecret: secret('previousSigningSecret'),
		flawed: FIELD_NAMES.map(([name, title]) => [title, field(name)] as const).filter(
			([, text]) => flawOf(text) !== undefined && flawOf(text) !== 'empty',
		),
		secrets: SECRET_FIELDS.flatMap((name) => [field(name).trim(), ...formsOf(field(name))]),
		decrypted: { ...data, baseUrl },
	};
}
