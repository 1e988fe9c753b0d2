import type { INode, IWebhookFunctions } from 'n8n-workflow';

import { readCredential, type ProviderCredential } from '../credential';
import type { Provider, ProviderFamily } from '../provider';
import type { TriggerSettings } from '../settings';
import {
	schemesToTry,
	verifySignature,
	type SignedRequest,
	type Verdict,
	type VerifyOptions,
} from '../signature';
import { ownerOf } from '../state/perTrigger';
import { cannotUnseal, liveSecrets } from '../state/secrets';
import type { RegistrationRecord } from '../state/triggerState';
import { explainRefusal } from './refusalCause';
import { SharedReads } from './sharedReads';

/** How long a secret that was removed from a credential may go on verifying, in milliseconds. */
const CREDENTIAL_AGE_MS = 5_000;

/** A read costs n8n a database query and, with the expression engine `vm`, a V8 isolate. */
const credentialReads = new SharedReads<ProviderCredential>(CREDENTIAL_AGE_MS);

/** The result of verifying a delivery with a credential's secrets. */
interface Verification {
	readonly verdict: Verdict;
	/** There was a secret to verify with. */
	readonly secretKnown: boolean;
	/** The credential does not give the secret that the endpoint was registered with. */
	readonly cannotUnseal?: boolean;
	/** Whether nothing but the previous signing secret verifies the delivery. */
	readonly usedPrevious?: () => boolean;
	/** Says why a delivery was refused, or what to compare, for people. Costs as much as verifying many deliveries. */
	readonly explain?: (family: ProviderFamily) => string;
}

/** A delivery as it came, and what the trigger remembers of its present and its former endpoint. */
interface UnverifiedDelivery extends SignedRequest {
	readonly record: RegistrationRecord | undefined;
	readonly replaced: RegistrationRecord | undefined;
}

/** Verifies a delivery with every secret that is live: the credential's and those of the endpoints. */
export async function verifyDelivery(
	context: IWebhookFunctions,
	provider: Provider,
	settings: TriggerSettings,
	node: INode,
	{ headers, rawBody, record, replaced }: UnverifiedDelivery,
): Promise<Verification> {
	const records = [record, replaced];
	const automatic = settings.registration === 'automatic';
	const request = { headers, rawBody };
	const optionsFor = (secrets: readonly string[]): VerifyOptions => ({
		secrets,
		toleranceSeconds: settings.toleranceSeconds,
		now: Date.now(),
	});
	const verify = (secrets: readonly string[]): Verdict =>
		verifySignature(request, schemesToTry(provider, settings), optionsFor(secrets));
	const owner = ownerOf(context, node);
	const isTest = context.getMode() === 'manual';
	const verifyWith = (credential: ProviderCredential): Verification => {
		const place = { owner, provider, credential, isTest };
		const secrets = liveSecrets(records, place, automatic);
		const isUnverifiable = secrets.length === 0 && credential.flawed.length === 0;
		if (isUnverifiable && settings.acceptUnverified && !automatic) {
			return { verdict: { valid: true, scheme: 'none' }, secretKnown: false };
		}
		const verdict = verify(secrets);
		const secretKnown = secrets.length > 0;
		if (!verdict.valid) {
			const options = optionsFor(secrets);
			return {
				verdict,
				secretKnown,
				cannotUnseal: cannotUnseal(record, place),
				explain: (family) =>
					explainRefusal({ request, provider, settings, options, verdict }, family),
			};
		}
		return {
			verdict,
			secretKnown,
			usedPrevious: () => {
				const without = { ...credential, previousSigningSecret: '' };
				const others = liveSecrets(records, { ...place, credential: without }, automatic);
				return others.length < secrets.length && !verify(others).valid;
			},
		};
	};
	return await verifyWithCredential(context, provider, node, verifyWith);
}

/**
 * Verifies with the cached credential first, and with a fresh one where a newer secret could change
 * the verdict.
 */
async function verifyWithCredential(
	context: IWebhookFunctions,
	provider: Provider,
	node: INode,
	verifyWith: (credential: ProviderCredential) => Verification,
): Promise<Verification> {
	const { credentialType } = provider;
	const { id } = node.credentials?.[credentialType] ?? {};
	const asker = [context.getWorkflow().id, node.id, context.getMode()];
	const key = JSON.stringify([...asker, credentialType, id]);
	const recent = credentialReads.recent(key);
	const verification = recent && verifyWith(recent);
	if (verification !== undefined && isSettled(verification)) return verification;
	return verifyWith(
		await credentialReads.fresh(key, async () => await readCredential(context, provider)),
	);
}

/** Whether no other secret could change the verdict. */
function isSettled({ verdict, secretKnown }: Verification): boolean {
	return verdict.valid ? secretKnown : verdict.unmatched !== true;
}
