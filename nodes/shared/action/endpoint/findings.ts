import { sleep } from 'n8n-workflow';

import type { RemoteEndpoint } from '../../api/endpointAnswer';
import { openEndpointApi, type EndpointApi } from '../../api/endpoints';
import { messageOf } from '../../log';
import type { ActionCall } from '../../provider';
import { reachOf, type Reach } from '../../registration/reach';
import { readApiOptions } from '../../settings';
import { countsOf, type DeliveryCounts } from '../../state/deliveryCounts';
import type { PublishedTrigger } from '../../state/publishedTriggers';
import { isHttpUrl, sameUrl } from '../../url';
import type { Attempt } from '../delivery/attempt';

/** What can be found out about the deliveries to a webhook URL. What is not known is undefined. */
export interface Findings {
	readonly url: string;
	/** The trigger with that URL, where this process knows it. */
	readonly trigger: PublishedTrigger | undefined;
	/** The endpoint as the provider has it; `absent` where the account has none with that URL. */
	readonly endpoint: RemoteEndpoint | 'absent' | undefined;
	/** Why the provider could not be asked. */
	readonly failure: string | undefined;
	/** The last attempts in the provider's log, the newest first. */
	readonly attempts: readonly Attempt[] | undefined;
	/** What answers at the URL. */
	readonly reach: Reach | undefined;
	/** What this process did with deliveries. */
	readonly counts: ReturnType<DeliveryCounts['summary']> | undefined;
	/** The result of a test delivery that the provider was asked for. */
	readonly test: TestResult | undefined;
}

/** `verifiedAfterMs` is undefined where no delivery that verifies arrived in time. */
export type TestResult =
	| { readonly failure: string }
	| { readonly verifiedAfterMs: number | undefined };

const MAX_ATTEMPTS = 10;
/** As long as the provider that offers test deliveries waits for an answer. */
const TEST_LIMIT_MS = 10_000;
const LOOK_MS = 50;
/** How long to keep asking an n8n that does not know the URL yet: it may be publishing the workflow. */
const ASK_FOR_MS = 2_000;

/**
 * Finds out about the deliveries to a URL. Nothing is changed, and what fails is part of the findings.
 * @param sendsTest asks the provider for a test delivery, where it offers one and this process would see it
 */
export async function findOut(
	call: ActionCall,
	url: string,
	trigger: PublishedTrigger | undefined,
	sendsTest: boolean,
): Promise<Findings> {
	const { context, provider } = call;
	const api = apiFor(call);
	// The address may be anybody's: it is requested only if a trigger here or an endpoint of this account has it.
	const known = await askProvider(api, url);
	const { endpoint } = known;
	const isFound = typeof endpoint === 'object';
	const isOwn = trigger !== undefined || isFound;
	const reach = isOwn && isHttpUrl(url) ? await reachOf(context, url, ASK_FOR_MS) : undefined;
	const offersTest = provider.api?.operations.test !== undefined;
	const isPossible = offersTest && isFound && endpoint.active && trigger !== undefined;
	const test =
		sendsTest && isPossible && api !== undefined
			? await sendTest(api, endpoint.id, countsOf(trigger.owner))
			: undefined;
	const log = isFound ? await readLog(call, api, endpoint.id) : undefined;
	return {
		...known,
		url,
		trigger,
		reach,
		test,
		attempts: log?.slice(0, MAX_ATTEMPTS),
		counts: trigger && countsOf(trigger.owner).summary(),
	};
}

function apiFor(call: ActionCall): EndpointApi | undefined {
	const { context, itemIndex, provider, credential } = call;
	// A credential for manual registration holds no key.
	if (provider.api === undefined || credential.apiSecret === '') return undefined;
	const options = readApiOptions(context.getNodeParameter('options', itemIndex, {}));
	return openEndpointApi(context, provider, provider.api, credential, { ...options, itemIndex });
}

async function askProvider(
	api: EndpointApi | undefined,
	url: string,
): Promise<Pick<Findings, 'endpoint' | 'failure'>> {
	if (api === undefined) return { endpoint: undefined, failure: undefined };
	try {
		const found = (await api.list()).filter(
			(one) => one.url !== undefined && sameUrl(one.url, url),
		);
		const endpoint = found.find(({ active }) => active) ?? found[0] ?? 'absent';
		return { endpoint, failure: undefined };
	} catch (error) {
		return { endpoint: undefined, failure: failureText(error) };
	}
}

async function sendTest(api: EndpointApi, id: string, counts: DeliveryCounts): Promise<TestResult> {
	const start = Date.now();
	const until = performance.now() + TEST_LIMIT_MS;
	const verified = () => (counts.lastVerifiedAt ?? 0) >= start;
	try {
		await api.test(id);
	} catch (error) {
		if (!verified()) return { failure: failureText(error) };
	}
	while (!verified() && performance.now() < until) await sleep(LOOK_MS);
	const { lastVerifiedAt = start } = counts;
	return { verifiedAfterMs: verified() ? lastVerifiedAt - start : undefined };
}

/** The log is optional: without it, the other findings are still reported. */
async function readLog(
	{ provider }: ActionCall,
	api: EndpointApi | undefined,
	id: string,
): Promise<readonly Attempt[] | undefined> {
	if (provider.api?.operations.deliveries === undefined) return undefined;
	return await api?.deliveries(id).catch(() => undefined);
}

/** What happened, and what to do. */
function failureText(error: unknown): string {
	const description: unknown =
		error instanceof Error && 'description' in error ? error.description : undefined;
	return [messageOf(error), description].filter((text) => typeof text === 'string').join(' — ');
}
