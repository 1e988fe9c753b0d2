import { sleep, type IHookFunctions } from 'n8n-workflow';

import { isForAnotherProduct, requireProduct } from './credentialProduct';
import { openEndpointApi, type EndpointApi } from './endpointApi';
import type { RemoteEndpoint } from './endpointAnswer';
import { sameEvents } from './event';
import type { ManagementApi, Provider, ProviderFamily } from './provider';
import {
	forgetRecord,
	loadItemStyle,
	loadRecord,
	makeRecord,
	ownerOf,
	retireRecord,
	unretireRecord,
	saveItemStyle,
	saveRecord,
	secretIsCurrent,
	type RegistrationRecord,
} from './registrationRecord';
import { generateSecret } from './secretVault';
import {
	eventsToRegister,
	readCredential,
	readRegistration,
	readSettings,
	selectProvider,
	settingsError,
	type ProviderCredential,
	type TriggerSettings,
} from './triggerSettings';
import { isHttpUrl, webhookUrlObjection, withoutUserInfo } from './webhookUrl';

/**
 * A trigger's endpoint at the provider: looked up, created, brought in line and deleted, so that
 * whatever goes wrong in between, the next publish ends with exactly one endpoint whose secret we
 * hold. Endpoints with another URL are never touched.
 */
interface Plan {
	readonly context: IHookFunctions;
	readonly provider: Provider;
	readonly management: ManagementApi;
	readonly credential: ProviderCredential;
	readonly api: EndpointApi;
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
	const plan = await makePlan(context, family);
	if (plan === undefined) return true;
	// `create` looks at the account then.
	if (loadRecord(context, plan.provider) === undefined) return false;
	const record = await reconcile(plan);
	// Also an unchanged one: an attempt that failed after saving it leaves it in n8n's memory only,
	// and n8n writes what was assigned in this attempt.
	if (record !== undefined) saveRecord(context, record);
	rememberItemStyle(plan);
	return record !== undefined;
}

/** n8n's `create`. May be called again and again: there is one endpoint in the end. */
export async function createEndpoint(
	context: IHookFunctions,
	family: ProviderFamily,
): Promise<boolean> {
	const plan = await makePlan(context, family);
	if (plan === undefined) return true;

	const { workflowId, nodeId } = ownerOf(context);
	const key = JSON.stringify([workflowId, nodeId, plan.url, plan.events]);
	const running = creating.get(key) ?? createOnce(plan).finally(() => creating.delete(key));
	creating.set(key, running);
	saveRecord(context, await running);
	rememberItemStyle(plan);
	return true;
}

/**
 * n8n's `delete`. An endpoint that is gone already counts as deleted.
 * @throws NodeApiError when the provider could not be asked; the id is kept, so n8n can try again
 */
export async function deleteEndpoint(
	context: IHookFunctions,
	family: ProviderFamily,
): Promise<boolean> {
	const provider = selectProvider(context, family);
	const record = loadRecord(context, provider);
	const { api: management } = provider;
	if (
		management === undefined ||
		(record === undefined && readRegistration(context, provider) === 'manual')
	) {
		return true;
	}

	const credential = await readCredential(context, provider);
	if (isForAnotherProduct(credential, provider)) {
		// A throw would break unpublishing, and every listener where it is the editor's test.
		context.logger.warn(
			`The credential is not for ${provider.displayName}, so the endpoint of this trigger was not deleted. Remove ${record?.endpointId ?? webhookUrlOf(context)} in its dashboard, or publish again with the right credential and unpublish`,
			{ workflowId: context.getWorkflow().id, node: context.getNode().name },
		);
		return true;
	}
	const api = openApi(context, provider, management, credential, {
		...(record === undefined ? {} : { apiPath: record.apiPath }),
	});
	const url = webhookUrlOf(context);
	const ids =
		record !== undefined
			? [record.endpointId]
			: (await endpointsAt(api, url)).map((endpoint) => endpoint.id);
	for (const id of ids) {
		if (await removeOrTell({ context, provider, api, url }, id)) continue;
		// The record stays: with its secret the endpoint can be used again by the next publish.
		return true;
	}
	rememberItemStyle({ context, management, api });
	if (record !== undefined) retireRecord(record);
	forgetRecord(context);
	return true;
}

/**
 * Checks everything that can be checked before the provider is called.
 * @returns undefined for manual registration, where there is nothing to call
 */
async function makePlan(
	context: IHookFunctions,
	family: ProviderFamily,
): Promise<Plan | undefined> {
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
	if (credential.apiSecret === '') {
		throw settingsError(
			context,
			'The API key is missing',
			`Automatic registration calls the ${provider.displayName} API. Enter an API key (or, where there is one, the login) in the credential, or set Registration to Manual`,
		);
	}
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
		api: openApi(context, provider, provider.api, credential, settings),
		url,
		events: eventsToRegister(provider, settings.events),
	};
}

/**
 * Compares what the provider has with what the node wants.
 *
 * Our own endpoint is the one with the stored id. It is updated in place when its URL, events or
 * active flag drifted. Endpoints at our URL that we do not hold the secret of are left over from a
 * publish that broke off: they are removed, never adopted.
 * @returns our record, or undefined when there is no endpoint to keep
 */
async function reconcile(plan: Plan): Promise<RegistrationRecord | undefined> {
	const { context, provider, api, url } = plan;
	const record = loadRecord(context, provider);
	const all = await survey(plan, record);
	const own = all.find((endpoint) => endpoint.id === record?.endpointId);

	await removeAll(
		plan,
		all.filter((endpoint) => endpoint.url === url && endpoint !== own),
	);
	if (record === undefined) return undefined;
	if (own === undefined) {
		retireRecord(record);
		return undefined;
	}
	if (isInLine(own, record, plan)) return record;
	if (secretIsCurrent(record, plan.credential, plan.management)) {
		const changes = { url, events: plan.events, active: true };
		const updated = plan.management.operations.update && (await api.update(own.id, changes));
		if (updated === 'done') return record;
		if (updated === 'unsaid' && (await isNowInLine(plan, record))) return record;
	}

	// It has to be replaced. The new one comes first, so that no event falls into a gap.
	const replacement = await createFresh(plan, own.id);
	saveRecord(context, replacement);
	if (await removeAll(plan, [own])) retireRecord(record);
	return replacement;
}

/**
 * The endpoints of the account. Of a list with many pages only the first is read while the recorded
 * endpoint is in line, so that a restart of n8n takes two calls at most, in any account.
 */
async function survey(
	plan: Plan,
	record: RegistrationRecord | undefined,
): Promise<readonly RemoteEndpoint[]> {
	const { api, management } = plan;
	const size = management.page?.size;
	const canGet = management.operations.get !== undefined;
	if (record === undefined || size === undefined || !canGet) return await api.list();
	const page = await api.list(size);
	if (page.length < size) return page;
	const isOwn = ({ id }: RemoteEndpoint) => id === record.endpointId;
	const own = page.find(isOwn) ?? (await api.find(record.endpointId));
	if (own === undefined || !isInLine(own, record, plan)) return await api.list();
	return [own, ...page.filter((endpoint) => !isOwn(endpoint))];
}

async function isNowInLine(plan: Plan, record: RegistrationRecord): Promise<boolean> {
	const endpoints = await survey(plan, record);
	const own = endpoints.find(({ id }) => id === record.endpointId);
	return own !== undefined && isInLine(own, record, plan);
}

async function createOnce(plan: Plan): Promise<RegistrationRecord> {
	return (await reconcile(plan)) ?? (await createFresh(plan));
}

/**
 * Creates an endpoint. When the answer is lost the endpoint may exist all the same, without anybody
 * knowing its secret: it is removed before the next attempt, and after the last one.
 *
 * @param keepId an endpoint at the same URL that is still in use
 */
async function createFresh(plan: Plan, keepId?: string): Promise<RegistrationRecord> {
	const { context, provider, management, credential, api, url, events } = plan;
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
				await removeAll(plan, [endpoint]);
				throw settingsError(
					context,
					`${provider.displayName} created the endpoint without telling its signing secret`,
					'Its deliveries could not be verified, so it was removed again. Set Registration to Manual, or enter a Signing Secret in the credential',
				);
			}
			return makeRecord(
				context,
				provider,
				credential,
				{ id: endpoint.id, apiPath: api.collectionPath },
				issued ?? generated,
			);
		}
		if (!outcome.lost) throw outcome.failure;
		const found = await endpointsAt(api, url);
		const strays = found.filter((endpoint) => endpoint.id !== keepId);
		// Where strays cannot be removed, another attempt might leave another one.
		const cleared = await removeAll(plan, strays);
		if (!cleared || attempt >= CREATE_ATTEMPTS) throw outcome.failure;
		await sleep(CREATE_BACKOFF_MS * attempt);
	}
}

/** @returns whether all of them are gone */
async function removeAll(plan: Plan, endpoints: readonly RemoteEndpoint[]): Promise<boolean> {
	let cleared = true;
	for (const { id } of endpoints) cleared = (await removeOrTell(plan, id)) && cleared;
	return cleared;
}

/** Deletes an endpoint, or tells the user to where the provider has no call for it. */
async function removeOrTell(
	{ context, provider, api, url }: Pick<Plan, 'context' | 'provider' | 'api' | 'url'>,
	id: string,
): Promise<boolean> {
	const removed = await api.remove(id);
	if (!removed) {
		// It goes on delivering: what it signs must not run beside its successor's.
		unretireRecord(ownerOf(context), id);
		context.logger.warn(
			`${provider.displayName} offers no call to delete a webhook endpoint. Remove endpoint ${id} (${url}) in its dashboard, where webhooks are set up`,
			{ workflowId: context.getWorkflow().id, node: context.getNode().name },
		);
	}
	return removed;
}

function rememberItemStyle({
	context,
	management,
	api,
}: Pick<Plan, 'context' | 'management' | 'api'>): void {
	if (management.itemStyles.length > 1) saveItemStyle(context, api.servedItemStyle);
}

async function endpointsAt(api: EndpointApi, url: string): Promise<readonly RemoteEndpoint[]> {
	return (await api.list()).filter((endpoint) => endpoint.url === url);
}

/** Whether an endpoint is as the node wants it, and was given a secret that we hold. */
function isInLine(
	endpoint: RemoteEndpoint,
	record: RegistrationRecord,
	{ provider, management, credential, url, events }: Plan,
): boolean {
	return (
		endpoint.url === url &&
		endpoint.active &&
		sameEvents(provider, endpoint.events, events) &&
		secretIsCurrent(record, credential, management)
	);
}

function openApi(
	context: IHookFunctions,
	provider: Provider,
	management: ManagementApi,
	credential: ProviderCredential,
	settings: Pick<TriggerSettings, 'apiPath' | 'itemAddress'>,
): EndpointApi {
	return openEndpointApi(context, provider, management, credential, {
		...settings,
		servedItemStyle: loadItemStyle(context),
	});
}

function webhookUrlOf(context: IHookFunctions): string {
	return context.getNodeWebhookUrl('default') ?? '';
}
