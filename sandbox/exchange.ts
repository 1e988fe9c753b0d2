import { setTimeout as sleep } from 'node:timers/promises';
import { json, LONGEST_LOGGED_BODY, Refusal } from './answers';
import { Faults, faultyOutcome, sentBody, type Outcome } from './faults';
import type { Observer } from './observer';
import type { Answer, Api, ApiRequest, Route } from './provider';
import type { ApiRequestRecord, ProviderId } from './types';

const LONGEST_LOG = 20_000;

/** The entry to the management APIs of all providers: finds the provider, applies faults, keeps the log. */
export class ApiExchange {
	private records: ApiRequestRecord[] = [];

	constructor(
		private readonly apis: ReadonlyMap<ProviderId, Api>,
		private readonly faults: Faults,
		/** Ends waiting faults when the sandbox closes. */
		private readonly closed: AbortSignal,
		private readonly observer: Observer,
	) {}

	log(): readonly ApiRequestRecord[] {
		return this.records;
	}

	reset(): void {
		this.records = [];
	}

	/** Never rejects. */
	async handle(request: ApiRequest): Promise<Outcome> {
		const [provider, api] = this.ownerOf(request) ?? [];
		const record: ApiRequestRecord = {
			at: Date.now(),
			method: request.method,
			path: request.query.size > 0 ? `${request.path}?${request.query.toString()}` : request.path,
			...(provider === undefined ? {} : { provider }),
			...(request.body === undefined ? {} : { body: withoutPassword(request.body) }),
		};
		this.records.push(record);
		if (this.records.length > LONGEST_LOG) this.records.shift();
		this.observer.emit('call', record);

		const startedAt = performance.now();
		const outcome =
			provider === undefined || api === undefined
				? whole(json(404, { error: 'no provider serves this path' }))
				: await this.handleFor(provider, api, request);
		if (outcome.mode === 'whole' || outcome.mode === 'truncate') {
			record.status = outcome.answer.status;
		}
		const body = sentBody(outcome)?.toString('utf8').slice(0, LONGEST_LOGGED_BODY);
		if (body !== undefined) record.responseBody = body;
		if (outcome.mode !== 'hang') {
			record.durationMs = Math.round(performance.now() - startedAt);
		}
		this.observer.emit('call', record);
		return outcome;
	}

	private ownerOf(request: ApiRequest): [ProviderId, Api] | undefined {
		for (const [provider, api] of this.apis) {
			if (api.owns(request)) return [provider, api];
		}
		return undefined;
	}

	private async handleFor(provider: ProviderId, api: Api, request: ApiRequest): Promise<Outcome> {
		const fault = this.faults.take(provider, request);
		if (fault?.delayMs) {
			await sleep(fault.delayMs, undefined, { signal: this.closed }).catch(() => {});
		}
		if (!fault || fault.kind === 'delay') return whole(await answer(api, request));
		if (fault.when !== 'after' && fault.kind !== 'rewrite') return faultyOutcome(fault, api.errors);
		return faultyOutcome(fault, api.errors, await answer(api, request));
	}
}

function whole(answered: Answer): Outcome {
	return { answer: answered, mode: 'whole' };
}

/** The provider's own answer: authentication before anything else. */
async function answer(api: Api, request: ApiRequest): Promise<Answer> {
	const found = findRoute(api.routes, request);
	const scope = api.identify(request);
	if (scope === undefined && !found?.route.open) return api.errors.unauthorized();
	if (!found) return api.errors.notFound();
	if (found.route.managesWebhooks && scope === 'limited') return api.errors.scope();
	if (request.malformed) {
		return api.errors.invalid([{ field: '', message: 'the body must be JSON (application/json)' }]);
	}
	try {
		return await found.route.handle(request, found.params);
	} catch (error) {
		if (error instanceof Refusal) return error.answer;
		throw error;
	}
}

function findRoute(
	routes: readonly Route[],
	{ method, path }: ApiRequest,
): { route: Route; params: Record<string, string> } | undefined {
	for (const route of routes) {
		if (route.method !== method) continue;
		const params = matchPath(route.path, path);
		if (params) return { route, params };
	}
	return undefined;
}

/** Matches a pattern such as `/mail/webhooks/:id` against a path; undefined if they differ. */
function matchPath(pattern: string, path: string): Record<string, string> | undefined {
	const wanted = pattern.split('/');
	const given = path.replace(/\/$/, '').split('/');
	if (wanted.length !== given.length) return undefined;
	const params: Record<string, string> = {};
	for (const [index, segment] of wanted.entries()) {
		const value = given[index] ?? '';
		if (segment.startsWith(':') && value !== '') params[segment.slice(1)] = decode(value);
		else if (segment !== value) return undefined;
	}
	return params;
}

function decode(segment: string): string {
	try {
		return decodeURIComponent(segment);
	} catch {
		return segment;
	}
}

/** The password of a login must not get into the log. */
function withoutPassword(body: unknown): unknown {
	if (typeof body !== 'object' || body === null || !('password' in body)) return body;
	return { ...body, password: '(not recorded)' };
}
