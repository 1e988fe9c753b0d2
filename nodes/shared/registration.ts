import { NodeApiError, sleep, type IHookFunctions, type NodeOperationError } from 'n8n-workflow';

import { isForAnotherProduct, requireProduct } from './credentialProduct';
import { openEndpointApi, type EndpointApi } from './endpointApi';
import type { RemoteEndpoint } from './endpointAnswer';
import { sameEvents } from './event';
import type { ManagementApi, Provider, ProviderFamily } from './provider';
import {
	forgetRecord,
	forgetReplaced,
	loadRecord,
	loadReplaced,
	makeRecord,
	ownerOf,
	saveRecord,
	saveReplaced,
	secretIsCurrent,
	withCurrentKeys,
	type RegistrationRecord,
} from './registrationRecord';
import { generateSecret } from './secretVault';
import {
	eventsToRegister,
	readApiOptions,
	readCredential,
	readRegistration,
	readSettings,
	selectProvider,
	settingsError,
	type ProviderCredential,
} from './triggerSettings';
import { whoAnswersAt } from './webhookProbe';
import { isHttpUrl, sameUrl, webhookUrlObjection, withoutUserInfo } from './webhookUrl';

/**
 * A trigger's endpoint at the provider: looked up, created, repaired and deleted, so that whatever
 * goes wrong in between, the next publish ends with exactly one endpoint whose secret we hold.
 * An endpoint with another URL belongs to somebody else, above all to the n8n that this one's
 * database was copied from.
 */
interface Target {
	readonly context: IHookFunctions;
	readonly provider: Provider;
	readonly management: ManagementApi;
	readonly credential: ProviderCredential;
	readonly api: EndpointApi;
	/** What the endpoint has to look like. */
	readonly url: string;
	readonly events: readonly string[];
}

const CREATE_ATTEMPTS = 3;
const CREATE_BACKOFF_MS = 500;

/** Creates in flight in this process: calls for the same endpoint join instead of creating twice. */
const creating = new Map<string, Promise<RegistrationRecord>>();

/**
 * n8n's `checkExists`. Repairs what can be repaired in place and removes what cannot.
 * @returns false when a fresh endpoint has to be created
 */
export async function endpointExists(
	context: IHookFunctions,
	family: ProviderFamily,
): Promise<boolean> {
	const target = await readTarget(context, family);
	if (target === undefined) return true;
	// `create` looks at the account then.
	if (loadRecord(context, target.provider) === undefined) return false;
	const record = await reconcile(target);
	// Also an unchanged one: an attempt that failed after saving it leaves it in n8n's memory only,
	// and n8n writes what was assigned in this attempt.
	if (record === undefined) forgetRecord(context);
	else saveRecord(context, record);
	return record !== undefined;
}

/** n8n's `create`. May be called again and again: there is one endpoint in the end. */
export async function createEndpoint(
	context: IHookFunctions,
	family: ProviderFamily,
): Promise<boolean> {
	const target = await readTarget(context, family);
	if (target === undefined) return true;

	const { workflowId, nodeId } = ownerOf(context);
	const key = JSON.stringify([workflowId, nodeId, target.url, target.events]);
	const running = creating.get(key) ?? createOnce(target).finally(() => creating.delete(key));
	creating.set(key, running);
	saveRecord(context, await running);
	return true;
}

/**
 * n8n's `delete`. An endpoint that is gone already counts as deleted.
 *
 * Never throws for a test listener: n8n would keep the listener for ever, and no trigger of the
 * instance could listen again.
 * @throws NodeApiError when the provider could not be asked; the id is kept, so n8n can try again
 */
export async function deleteEndpoint(
	context: IHookFunctions,
	family: ProviderFamily,
): Promise<boolean> {
	if (!isTestListener(context)) {
		await deregister(context, family);
		return true;
	}
	try {
		await deregister(context, family);
	} catch (error) {
		warn(context, `The test endpoint could not be removed: ${messageOf(error)}`);
	}
	return true;
}

async function deregister(context: IHookFunctions, family: ProviderFamily): Promise<void> {
	const provider = selectProvider(context, family);
	const record = loadRecord(context, provider);
	if (record !== undefined) return await removeRecorded(context, provider, record);
	if (provider.api === undefined || readRegistration(context, provider) === 'manual') return;
	const failure = await removeUnrecorded(context, provider).catch((error: unknown) => error);
	// Nothing is known to be registered: only a passing fault is worth another attempt.
	if (isPassing(failure)) throw failure;
	if (failure !== undefined) {
		warn(context, `No webhook endpoint was looked for or removed: ${messageOf(failure)}`);
	}
}

/** After a registration that broke off, whatever stands at our URL is of no use to anybody. */
async function removeUnrecorded(context: IHookFunctions, provider: Provider): Promise<void> {
	const account = await openAccount(context, provider);
	if (account !== undefined) await removeAll(account, await endpointsAt(account));
}

async function removeRecorded(
	context: IHookFunctions,
	provider: Provider,
	record: RegistrationRecord,
): Promise<void> {
	const account = await openAccount(context, provider, record);
	if (account === undefined) return;
	const { api, url } = account;
	const own =
		(await getOwn(account, record)) ??
		(await api.list()).find(({ id }) => id === record.endpointId);
	const address = addressOf(own, record, url);
	if (!sameUrl(address, url)) {
		// The record stays: the next publish finds out whether the endpoint can be taken along.
		warn(
			context,
			`Endpoint ${record.endpointId} of ${provider.displayName} delivers to ${address} and not to ${url}, so it was not deleted. If no other n8n uses it, publish this workflow again, or remove the endpoint in the dashboard`,
		);
		return;
	}
	// Otherwise the record stays: with its secret the endpoint can be used again by the next publish.
	const gone = own === undefined && record.unlisted !== true;
	if (gone || (await removeOrTell(account, record.endpointId))) {
		saveReplaced(context, record);
		forgetRecord(context);
	}
}

/** What deleting needs; read leniently, because a node with unusable settings has to be unpublished too. */
type Account = Pick<Target, 'context' | 'provider' | 'management' | 'api' | 'url'>;

async function openAccount(
	context: IHookFunctions,
	provider: Provider,
	record?: RegistrationRecord,
): Promise<Account | undefined> {
	const { api: management } = provider;
	if (management === undefined) throw new Error(`${provider.displayName} has no API for webhooks`);
	const credential = await readCredential(context, provider);
	if (isForAnotherProduct(credential, provider)) {
		const endpoint = record?.endpointId ?? webhookUrlOf(context);
		warn(
			context,
			`The credential is not for ${provider.displayName}, so the endpoint of this trigger was not deleted. Remove ${endpoint} in its dashboard, or publish again with the right credential and unpublish`,
		);
		return undefined;
	}
	if (credential.apiSecret === '') throw missingKey(context, provider);
	const options = readApiOptions(context.getNodeParameter('options', {}));
	const api = openEndpointApi(context, provider, management, credential, {
		...options,
		recordedPath: record?.apiPath,
	});
	return { context, provider, management, api, url: webhookUrlOf(context) };
}

/**
 * Checks everything that can be checked before the provider is called.
 * @returns undefined for manual registration, where there is nothing to call
 */
async function readTarget(
	context: IHookFunctions,
	family: ProviderFamily,
): Promise<Target | undefined> {
	const provider = selectProvider(context, family);
	const settings = readSettings(context, provider);
	const credential = await readCredential(context, provider);
	requireProduct(context, family, provider, credential, 'trigger');

	if (settings.registration === 'manual' || provider.api === undefined) {
		if (credential.signingSecret === '' && !settings.acceptUnverified) {
			throw settingsError(
				context,
				'The signing secret is missing',
				`Without it no delivery of ${provider.displayName} can be verified. Copy it from the provider's dashboard to Signing Secret in the credential`,
			);
		}
		return undefined;
	}
	if (credential.apiSecret === '') throw missingKey(context, provider);
	if (!isHttpUrl(credential.baseUrl)) {
		throw settingsError(
			context,
			`The Base URL "${withoutUserInfo(credential.baseUrl)}" is not a web address`,
			'Enter one such as https://api.example.com in the credential',
		);
	}
	const url = webhookUrlOf(context);
	const objection = webhookUrlObjection(url, credential.baseUrl);
	if (objection !== undefined) {
		throw settingsError(
			context,
			`${provider.displayName} cannot deliver to this webhook URL: ${objection}`,
			'Set the environment variable WEBHOOK_URL of n8n to its public https:// address, or use a tunnel, then publish again',
		);
	}
	return {
		context,
		provider,
		management: provider.api,
		credential,
		api: openEndpointApi(context, provider, provider.api, credential, settings),
		url,
		events: eventsToRegister(provider, settings.events),
	};
}

function missingKey(context: IHookFunctions, { displayName }: Provider): NodeOperationError {
	return settingsError(
		context,
		'The API key is missing',
		`Automatic registration calls the ${displayName} API. Enter an API key (or, where there is one, the login) in the credential, or set Registration to Manual`,
	);
}

/**
 * Looks at the account, compares, repairs, and tells what to remember.
 *
 * Our own endpoint is the one with the recorded id, while its URL is ours. Endpoints at our URL that
 * we do not hold the secret of are left over from a publish that broke off: they are removed, never
 * adopted.
 * @returns our record, or undefined when there is no endpoint to keep
 */
async function reconcile(target: Target): Promise<RegistrationRecord | undefined> {
	const { context, provider } = target;
	const record = loadRecord(context, provider);
	const { own, strays } = await look(target, record);
	await removeAll(target, strays);
	if (record === undefined) return undefined;
	if (own === undefined) {
		if (record.unlisted === true) return record;
		saveReplaced(context, record);
		return undefined;
	}
	if (matches(own, record, target)) return upToDate(record, target);
	if (!(await isOurs(own, record, target))) return undefined;
	return (await updateInPlace(own, record, target)) ?? (await replace(own, record, target));
}

/**
 * Our endpoint, and the others at our URL. Where the API can get one endpoint and it is as it should
 * be, the list is not read: one call in any account. An endpoint that cannot be got may still be in
 * the list, because an installation may not serve that call.
 */
async function look(
	target: Target,
	record: RegistrationRecord | undefined,
): Promise<{ own: RemoteEndpoint | undefined; strays: readonly RemoteEndpoint[] }> {
	const { api, url } = target;
	const got = record && (await getOwn(target, record));
	if (record && got && matches(got, record, target)) return { own: got, strays: [] };
	const all = await api.list();
	const own = got ?? all.find(({ id }) => id === record?.endpointId);
	return { own, strays: all.filter((endpoint) => endpoint.id !== own?.id && isAt(endpoint, url)) };
}

/** The recorded endpoint, where the API can get one. */
async function getOwn(
	{ api, management }: Account,
	{ endpointId }: RegistrationRecord,
): Promise<RemoteEndpoint | undefined> {
	return management.operations.get === undefined ? undefined : await api.find(endpointId);
}

/** Where the recorded endpoint delivers to; what nobody tells is taken to be as the node wants it. */
function addressOf(
	own: RemoteEndpoint | undefined,
	record: RegistrationRecord,
	url: string,
): string {
	return own?.url ?? record.url ?? url;
}

/**
 * Whether an endpoint is as the node wants it, and was given a secret that we hold. What the provider
 * does not tell is taken to be as it was registered.
 */
function matches(own: RemoteEndpoint, record: RegistrationRecord, target: Target): boolean {
	const { provider, management, credential, url, events } = target;
	return (
		sameUrl(addressOf(own, record, url), url) &&
		sameEvents(provider, own.events ?? record.events ?? events, events) &&
		own.active &&
		secretIsCurrent(record, credential, management)
	);
}

function upToDate(record: RegistrationRecord, target: Target): RegistrationRecord {
	const { url, events, credential } = target;
	return withCurrentKeys({ ...record, url, events, unlisted: undefined }, credential);
}

/**
 * Whether the endpoint with our id is this n8n's. A restored or copied database names production's
 * endpoint: it is taken over only when nothing of ours answers at its address any more, as after a
 * change of WEBHOOK_URL.
 */
async function isOurs(
	own: RemoteEndpoint,
	record: RegistrationRecord,
	{ context, provider, credential, url }: Target,
): Promise<boolean> {
	const address = addressOf(own, record, url);
	if (sameUrl(address, url)) return true;
	// Nobody but a local provider can have been told a private address.
	const reachable = webhookUrlObjection(address, credential.baseUrl) === undefined;
	const occupant = reachable ? await whoAnswersAt(context, address) : 'unknown';
	if (occupant === 'nobody') return true;
	const finding =
		occupant === 'trigger'
			? 'where another n8n with this workflow answers'
			: 'and it cannot be told whether another n8n with this workflow answers there';
	warn(
		context,
		`Endpoint ${own.id} of ${provider.displayName} delivers to ${address}, ${finding}. It was left alone, and an endpoint of this workflow’s own is registered for ${url}. If no other n8n uses it, remove endpoint ${own.id} in the dashboard`,
	);
	return false;
}

async function updateInPlace(
	own: RemoteEndpoint,
	record: RegistrationRecord,
	target: Target,
): Promise<RegistrationRecord | undefined> {
	const { api, management, credential, url, events } = target;
	if (!secretIsCurrent(record, credential, management)) return undefined;
	if (management.operations.update === undefined) return undefined;
	const outcome = await api.update(own.id, { url, events, active: true });
	if (outcome === 'notServed') return undefined;
	if (outcome === 'unsaid') {
		const { own: now } = await look(target, record);
		if (now === undefined || !matches(now, record, target)) return undefined;
	}
	return upToDate(record, target);
}

/** The new one comes first, so that no event falls into a gap. */
async function replace(
	own: RemoteEndpoint,
	record: RegistrationRecord,
	target: Target,
): Promise<RegistrationRecord> {
	const { context } = target;
	const replacement = await createFresh(target, own.id);
	saveRecord(context, replacement);
	if (await removeAll(target, [own])) saveReplaced(context, record);
	return replacement;
}

async function createOnce(target: Target): Promise<RegistrationRecord> {
	return (await reconcile(target)) ?? (await createFresh(target));
}

/**
 * Creates an endpoint. When the answer is lost the endpoint may exist all the same, without anybody
 * knowing its secret: it is removed before the next attempt, and after the last one.
 *
 * @param keepId an endpoint at the same URL that is still in use
 */
async function createFresh(target: Target, keepId?: string): Promise<RegistrationRecord> {
	const { context, provider, management, credential, api, url, events } = target;
	const generated =
		credential.signingSecret === '' && management.sendsSecret === 'always'
			? generateSecret()
			: undefined;
	const sent =
		generated ?? (management.sendsSecret === 'never' ? undefined : credential.signingSecret);
	const extras = management.createExtras?.({
		workflowId: context.getWorkflow().id ?? '',
		nodeName: context.getNode().name,
	});

	for (let attempt = 1; ; attempt++) {
		const outcome = await api.create(
			{ url, events, ...(sent === undefined || sent === '' ? {} : { secret: sent }) },
			extras,
		);
		if ('endpoint' in outcome) {
			const { endpoint } = outcome;
			const issued = endpoint.secret === sent ? undefined : endpoint.secret;
			if (issued === undefined && (sent === undefined || sent === '')) {
				await removeAll(target, [endpoint]);
				throw settingsError(
					context,
					`${provider.displayName} created the endpoint without telling its signing secret`,
					'Its deliveries could not be verified, so it was removed again. Set Registration to Manual, or enter a Signing Secret in the credential',
				);
			}
			const facts = {
				endpointId: endpoint.id,
				apiPath: api.collectionPath,
				url,
				events,
				...(await isUnlisted(target, endpoint.id)),
			};
			return makeRecord(context, provider, credential, facts, issued ?? generated);
		}
		if (!outcome.lost) throw outcome.failure;
		const found = await endpointsAt(target);
		const strays = found.filter((endpoint) => endpoint.id !== keepId);
		// Where strays cannot be removed, another attempt might leave another one.
		const cleared = await removeAll(target, strays);
		if (!cleared || attempt >= CREATE_ATTEMPTS) throw outcome.failure;
		await sleep(CREATE_BACKOFF_MS * attempt);
	}
}

/**
 * A provider may cut its list without a word. Where one endpoint cannot be asked for, an endpoint that
 * is left out would count as gone at each start, and be created again and again.
 */
async function isUnlisted(
	{ api, management }: Target,
	id: string,
): Promise<{ unlisted?: boolean }> {
	if (management.operations.get !== undefined) return {};
	try {
		const listed = (await api.list()).some((endpoint) => endpoint.id === id);
		return listed ? {} : { unlisted: true };
	} catch {
		// The endpoint exists: its record must not be lost for this.
		return {};
	}
}

/** @returns whether all of them are gone */
async function removeAll(account: Account, endpoints: readonly RemoteEndpoint[]): Promise<boolean> {
	let cleared = true;
	for (const { id } of endpoints) cleared = (await removeOrTell(account, id)) && cleared;
	return cleared;
}

/** Deletes an endpoint, or tells the user to where the provider has no call for it. */
async function removeOrTell(account: Account, id: string): Promise<boolean> {
	const { context, provider, api, url } = account;
	const removed = await api.remove(id);
	if (!removed) {
		// It goes on delivering: what it signs must not run beside its successor's.
		if (loadReplaced(context, provider)?.endpointId === id) forgetReplaced(context);
		warn(
			context,
			`${provider.displayName} offers no call to delete a webhook endpoint. Remove endpoint ${id} (${url}) in its dashboard, where webhooks are set up`,
		);
	}
	return removed;
}

async function endpointsAt({ api, url }: Account): Promise<readonly RemoteEndpoint[]> {
	return (await api.list()).filter((endpoint) => isAt(endpoint, url));
}

function isAt(endpoint: RemoteEndpoint, url: string): boolean {
	return endpoint.url !== undefined && sameUrl(endpoint.url, url);
}

function webhookUrlOf(context: IHookFunctions): string {
	return context.getNodeWebhookUrl('default') ?? '';
}

/** While it listens for a test event n8n holds the workflow as one that is not published. */
function isTestListener(context: IHookFunctions): boolean {
	return context.getMode() === 'manual' || !context.getWorkflow().active;
}

/** Whether another attempt may help: the provider did not answer, limits its calls, or is down. */
function isPassing(error: unknown): error is NodeApiError {
	if (!(error instanceof NodeApiError)) return false;
	const status = Number(error.httpCode ?? 0);
	return status === 0 || status === 429 || status >= 500;
}

function messageOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

function warn(context: IHookFunctions, message: string): void {
	context.logger.warn(message, {
		workflowId: context.getWorkflow().id,
		node: context.getNode().name,
	});
}
