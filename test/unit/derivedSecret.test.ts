import { describe, expect, it } from '@jest/globals';

import type { ProviderCredential } from '../../nodes/shared/credential';
import {
	cannotUnseal,
	liveSecrets,
	makeRecord,
	secretIsCurrent,
	secretToSend,
	withCurrentKeys,
	type SecretContext,
} from '../../nodes/shared/state/secrets';
import { deriveSecret } from '../../nodes/shared/state/secretVault';
import { replacedBy } from '../../nodes/shared/state/triggerState';
import { allProviders } from './allProviders';

/** The secret that a trigger derives from its API key, so that n8n cannot lose it. */

const KEY = 'msk_key_of_the_credential_0123456789';
const OWNER = { workflowId: 'workflow', nodeId: 'node' };
const FACTS = {
	endpointId: 'wh_1',
	apiPath: '/webhooks',
	url: 'https://n8n.example.com/webhook/1',
};

/** Where a secret that is sent is used, and where the provider makes it. */
const takers = allProviders.filter(({ api }) => api?.sendsSecret === 'always');
const issuers = allProviders.filter(
	({ api }) => api !== undefined && !takers.some((taker) => taker.api === api),
);
const nameOf = ({ displayName }: SecretContext['provider']) => displayName;
const [anyTaker] = takers;
if (anyTaker === undefined) throw new Error('no provider takes a secret');

const credentialWith = (changes: Partial<ProviderCredential> = {}): ProviderCredential => ({
	product: '',
	baseUrl: 'https://api.example.com',
	apiSecret: KEY,
	apiSecretTyped: false,
	signingSecret: '',
	previousSigningSecret: '',
	flawed: [],
	secrets: [],
	decrypted: {},
	...changes,
});
type Changes = Partial<SecretContext> & { with?: Partial<ProviderCredential> };
const placeOf = ({ with: fields, ...changes }: Changes = {}): SecretContext => ({
	owner: OWNER,
	provider: anyTaker,
	credential: credentialWith(fields),
	isTest: false,
	...changes,
});
const sentAt = (changes?: Changes) => secretToSend(placeOf(changes))?.secret;
/** The record of an endpoint that took what it was sent. */
const registered = (changes?: Changes) => {
	const place = placeOf(changes);
	return makeRecord(place, FACTS, secretToSend(place), undefined);
};
/** The record of an endpoint that was given a secret by the provider. */
const issued = (changes?: Changes) => {
	const place = placeOf(changes);
	return makeRecord(place, FACTS, secretToSend(place), 'whsec_issued');
};

describe('a derived secret', () => {
	it('is 32 bytes in hex behind whsec_, and the same at any time', () => {
		expect(deriveSecret(KEY, OWNER, 'a')).toMatch(/^whsec_[0-9a-f]{64}$/);
		expect(deriveSecret(KEY, { ...OWNER }, 'a')).toBe(deriveSecret(KEY, OWNER, 'a'));
	});

	it('differs for each key, workflow, node, product and purpose', () => {
		const secrets = [
			sentAt(),
			sentAt({ with: { apiSecret: `${KEY}x` } }),
			sentAt({ owner: { ...OWNER, workflowId: 'another' } }),
			sentAt({ owner: { ...OWNER, nodeId: 'another' } }),
			sentAt({ owner: { workflowId: 'workflownode', nodeId: '' } }),
			sentAt({ owner: { workflowId: 'workflow","node', nodeId: '' } }),
			sentAt({ isTest: true }),
			...takers.slice(1).map((provider) => sentAt({ provider })),
			sentAt({ provider: { ...anyTaker, product: 'another' } }),
		];
		expect(new Set(secrets).size).toBe(secrets.length);
		expect(secrets).not.toContain(undefined);
	});

	it.each(takers.map((provider) => [nameOf(provider), provider] as const))(
		'is sent to %s, and stored nowhere',
		(_name, provider) => {
			const secret = sentAt({ provider });
			expect(secretToSend(placeOf({ provider }))?.from).toBe('apiKey');
			const record = registered({ provider });
			expect(record).toMatchObject({ derived: true });
			expect(record.sealedSecret).toBeUndefined();
			expect(JSON.stringify(record)).not.toContain(secret?.slice('whsec_'.length));
			expect(JSON.stringify(record)).not.toContain(KEY);
		},
	);

	it.each(issuers.map((provider) => [nameOf(provider), provider] as const))(
		'is not sent to %s, which issues its own',
		(_name, provider) => {
			expect(secretToSend(placeOf({ provider }))).toBeUndefined();
			expect(liveSecrets([], placeOf({ provider }), true)).toEqual([]);
		},
	);

	it('is never made from a typed password: a random one is sent and sealed', () => {
		const typed = { apiSecretTyped: true, apiSecret: 'panda2026' };
		const place = placeOf({ with: typed });
		const [one, two] = [secretToSend(place), secretToSend(place)];
		expect(one?.from).toBe('random');
		expect(one?.secret).not.toBe(two?.secret);
		expect(liveSecrets([], place, true)).toEqual([]);
		const record = makeRecord(place, FACTS, one, undefined);
		expect(record.derived).toBeUndefined();
		expect(liveSecrets([record], place, true)).toEqual([one?.secret]);
	});

	it('is not made without an API key', () => {
		expect(liveSecrets([], placeOf({ with: { apiSecret: '' } }), true)).toEqual([]);
	});

	it('verifies without any record, but not where the trigger is registered by hand', () => {
		expect(liveSecrets([undefined], placeOf(), true)).toEqual([sentAt()]);
		expect(liveSecrets([undefined], placeOf(), false)).toEqual([]);
	});

	it('verifies beside a sealed secret of an earlier version, which stays the endpoint’s', () => {
		const record = { ...issued(), secretFingerprint: undefined };
		expect(liveSecrets([record], placeOf(), true)).toEqual(['whsec_issued', sentAt()]);
		expect(secretIsCurrent(record, placeOf())).toBe(true);
	});

	it('of a test listener does not verify what production is sent', () => {
		expect(liveSecrets([], placeOf({ isTest: true }), true)).not.toContain(sentAt());
	});
});

describe('a typed secret', () => {
	const typed = { signingSecret: 'whsec_typed' };

	it('is sent in place of the derived one, and is not sealed', () => {
		expect(secretToSend(placeOf({ with: typed }))).toEqual({
			secret: 'whsec_typed',
			from: 'credential',
		});
		const record = registered({ with: typed });
		expect(record.sealedSecret).toBeUndefined();
		expect(record.derived).toBeUndefined();
		expect(JSON.stringify(record)).not.toContain('whsec_typed');
	});

	it('replaces the derived one once no endpoint uses that one any more', () => {
		const place = placeOf({ with: typed });
		const [derived, record] = [registered(), registered({ with: typed })];
		expect(secretIsCurrent(derived, place)).toBe(false);
		expect(liveSecrets([derived], place, true)).toEqual(['whsec_typed', sentAt()]);
		expect(liveSecrets([record, replacedBy(derived)], place, true)).toContain(sentAt());
		expect(liveSecrets([record], place, true)).toEqual(['whsec_typed']);
		expect(liveSecrets([], place, true)).toEqual(['whsec_typed']);
	});

	it('leaves no record when it is replaced, because it verifies as long as its field holds it', () => {
		expect(replacedBy(registered({ with: typed }))).toBeUndefined();
	});

	it('that is removed again gives way to the derived one', () => {
		expect(secretIsCurrent(registered({ with: typed }), placeOf())).toBe(false);
	});
});

describe('a record', () => {
	it('is outdated under another API key, and its secret cannot be opened', () => {
		const other = placeOf({ with: { apiSecret: 'another key' } });
		for (const record of [registered(), issued()]) {
			expect(secretIsCurrent(record, placeOf())).toBe(true);
			expect(cannotUnseal(record, placeOf())).toBe(false);
			expect(secretIsCurrent(record, other)).toBe(false);
			expect(cannotUnseal(record, other)).toBe(true);
		}
		expect(cannotUnseal(undefined, other)).toBe(false);
	});

	it('keeps its fingerprint when it is sealed anew with the present keys', () => {
		const record = registered();
		expect(withCurrentKeys(record, placeOf())).toEqual(record);
	});
});
