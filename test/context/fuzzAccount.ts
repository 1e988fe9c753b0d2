import * as fc from 'fast-check';
import type { IDataObject, IHttpRequestOptions } from 'n8n-workflow';

import { hostileBody, hostileJson } from '../fuzz';
import { SEED } from '../seed';
import type { FakeClock } from './fakeClock';

/** A provider's account of webhook endpoints, whose answers are wrong, lost or of any shape as a test says. */

/** What goes wrong with one call; `done`: it takes effect nevertheless. */
export type Fault =
	| { readonly kind: 'none' }
	| { readonly kind: 'lost'; readonly code: string; readonly done: boolean }
	| {
			readonly kind: 'answer';
			readonly status: number;
			readonly body: string;
			readonly done: boolean;
	  }
	/** The answer never comes, or never ends. */
	| {
			readonly kind: 'slow';
			readonly manner: 'hangs' | 'drips' | 'floods';
			readonly done: boolean;
	  }
	/** The answer repeats the request, secrets included. */
	| { readonly kind: 'echo'; readonly status: number }
	/** The answer is about somebody else's endpoint. */
	| { readonly kind: 'another' }
	/** A list that lags behind. */
	| { readonly kind: 'withoutOurs' };

/** What comes of an answer that never ends. */
const DROP = Buffer.from(' ');
const FLOOD = Buffer.alloc(512 * 1024, ' ');
const DROP_EVERY_MS = 1_500;

const STATUSES = [
	...[200, 200, 201, 204, 301, 400, 401, 402, 403, 404, 405, 409, 410, 422, 429, 500, 503],
];
/** These statuses say that nothing was done, so a create is repeated. */
const REPEATED = [404, 405, 429];
const status = fc.constantFrom(...STATUSES);

/** Picked from a thousand: making a new one takes longer than a call. */
const pick = (arbitrary: fc.Arbitrary<string>) =>
	fc.constantFrom(...fc.sample(arbitrary, { seed: SEED, numRuns: 1_000 }));
const anyBody = pick(hostileBody.map(String));
/** For static data, which is copied several times in each call of n8n: without texts of 20,000 characters. */
export const anyJson = pick(hostileJson.filter((text) => text.length < 5_000));

export const anyFault: fc.Arbitrary<Fault> = fc.oneof(
	{ weight: 6, arbitrary: fc.constant({ kind: 'none' } as const) },
	{
		weight: 2,
		arbitrary: fc
			.record({
				kind: fc.constant('lost' as const),
				code: fc.constantFrom('ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'ERR_BODY_TOO_LARGE'),
				done: fc.boolean(),
			})
			// If the name has no address, no request was sent.
			.map((fault) => ({ ...fault, done: fault.done && fault.code !== 'ENOTFOUND' })),
	},
	{
		weight: 4,
		arbitrary: fc.record({
			kind: fc.constant('answer' as const),
			status,
			body: fc.oneof(
				anyBody,
				fc.constantFrom('[]', '{"id":"..","secret":"s"}', '[{"id":"\\ud800"}]'),
			),
			done: fc.boolean(),
		}),
	},
	{
		weight: 1,
		arbitrary: fc.record({
			kind: fc.constant('slow' as const),
			manner: fc.constantFrom('hangs' as const, 'drips' as const, 'floods' as const),
			done: fc.boolean(),
		}),
	},
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant('echo' as const), status }) },
	{ weight: 1, arbitrary: fc.constant({ kind: 'another' } as const) },
	{ weight: 1, arbitrary: fc.constant({ kind: 'withoutOurs' } as const) },
);

/** How a provider's API may be designed. */
export const anyApi = fc.record({
	address: fc.constantFrom('path', 'query', 'body'),
	idOf: fc.constantFrom('number' as const, 'text' as const, 'path' as const),
	wrap: fc.constantFrom('', 'data', 'webhooks'),
	update: fc.constantFrom('PATCH', 'PUT', 'none'),
	offersGet: fc.boolean(),
	/** Another endpoint with the same URL is refused. */
	onePerUrl: fc.boolean(),
	/** Other people's endpoints: what follows the origin of their URLs. */
	foreign: fc.array(fc.constantFrom('', '/hook', '/webhook/x?y=1'), { maxLength: 3 }),
});
type Api = typeof anyApi extends fc.Arbitrary<infer T> ? T : never;

export interface Endpoint {
	readonly id: string | number;
	url: unknown;
	events: unknown;
	active: unknown;
	readonly secret: unknown;
}

interface Answer {
	readonly statusCode: number;
	readonly body: unknown;
}

export class Account {
	/** Faults of the next calls; without any, answers are correct. */
	faults: Fault[] = [];
	calls = 0;
	/** Calls that change an endpoint of somebody else. */
	readonly trespasses: string[] = [];
	private endpoints: Endpoint[];
	private count = 0;

	/**
	 * @param collection URL of the collection of endpoints
	 * @param ourUrl the webhook URL of the trigger under test
	 */
	constructor(
		private readonly collection: string,
		private readonly ourUrl: string,
		private readonly api: Api,
		private readonly clock: FakeClock,
	) {
		this.endpoints = api.foreign.map((rest) =>
			this.make({ url: `https://other.example.com${rest}` }),
		);
	}

	get ours(): Endpoint[] {
		return this.endpoints.filter(({ url }) => url === this.ourUrl);
	}

	/** Replaces n8n's HTTP client. */
	readonly send = async (request: IHttpRequestOptions): Promise<unknown> => {
		this.calls += 1;
		const fault = this.faults.shift() ?? { kind: 'none' };
		if (fault.kind === 'lost') {
			if (fault.done) this.handle(request);
			throw Object.assign(new Error(fault.code), { code: fault.code });
		}
		if (fault.kind === 'answer') {
			if (fault.done && !REPEATED.includes(fault.status)) this.handle(request);
			// A list without theirs and, after a create, one without ours make theirs look like the new one.
			if (request.method === 'GET' && fault.status < 300) this.faults = this.faults.filter(isClear);
			return { statusCode: fault.status, body: parsed(fault.body), headers: {} };
		}
		if (fault.kind === 'slow') {
			if (fault.done) this.handle(request);
			if (fault.manner === 'hangs') {
				setImmediate(() => this.clock.pass(request.timeout ?? Number.POSITIVE_INFINITY));
				return await new Promise(() => {});
			}
			return { statusCode: 200, body: this.endless(fault.manner), headers: {} };
		}
		if (fault.kind === 'echo') {
			const { method, url, qs, body } = request;
			return {
				statusCode: fault.status,
				body: { message: { method, url, qs, body } },
				headers: {},
			};
		}
		const answer = this.handle(request);
		if (fault.kind === 'another' && !Array.isArray(this.unwrapped(answer))) {
			const other = this.endpoints.find(({ url }) => url !== this.ourUrl);
			return { ...answer, ...(other && { body: other }), headers: {} };
		}
		if (fault.kind === 'withoutOurs' && Array.isArray(this.unwrapped(answer))) {
			const others = this.endpoints.filter(({ url }) => url !== this.ourUrl);
			return { statusCode: 200, body: this.wrapped(others), headers: {} };
		}
		return { ...answer, headers: {} };
	};

	/** A body that never ends. */
	private endless(manner: 'drips' | 'floods') {
		const { clock } = this;
		let isWanted = true;
		return {
			destroy: () => void (isWanted = false),
			async *[Symbol.asyncIterator]() {
				while (isWanted) {
					await new Promise((next) => setImmediate(next));
					if (manner === 'drips') clock.pass(DROP_EVERY_MS);
					yield manner === 'drips' ? DROP : FLOOD;
				}
			},
		};
	}

	private handle({ method = 'GET', url, qs = {}, body: sent }: IHttpRequestOptions): Answer {
		const missing = { statusCode: 404, body: '<!doctype html><title>404</title>' };
		if (!url.startsWith(this.collection)) return missing;
		const body = (sent ?? {}) as IDataObject;
		const inPath = url.slice(this.collection.length + 1);
		const ids = { path: decodeURIComponent(inPath), query: qs['id'], body: body['id'] };
		const named = Object.values(ids).filter((id) => id !== undefined && id !== '');
		if (method !== 'GET' && method !== 'POST') this.noteTrespass(method, named);
		if (named.length === 0) {
			if (method === 'GET') return this.list(Number(qs['page'] ?? 1));
			return method === 'POST' ? this.create(body) : { statusCode: 400, body: { error: 'no id' } };
		}
		const id = ids[this.api.address];
		const endpoint = this.endpoints.find((candidate) => String(candidate.id) === String(id));
		if (id === undefined || id === '' || endpoint === undefined) return missing;
		return this.handleOne(method, endpoint, body);
	}

	private handleOne(method: string, endpoint: Endpoint, body: IDataObject): Answer {
		if (method === 'DELETE') {
			this.endpoints = this.endpoints.filter((other) => other !== endpoint);
			return { statusCode: 204, body: '' };
		}
		if (method === this.api.update) {
			const { url = endpoint.url, events = endpoint.events, active = endpoint.active } = body;
			Object.assign(endpoint, { url, events, active });
		} else if (method !== 'GET' || !this.api.offersGet) return { statusCode: 405, body: '' };
		return { statusCode: 200, body: shown(endpoint) };
	}

	private noteTrespass(method: string, named: readonly unknown[]): void {
		const theirs = this.endpoints.filter(({ url }) => url !== this.ourUrl);
		for (const { id } of theirs) {
			if (named.some((name) => String(name) === String(id)))
				this.trespasses.push(`${method} ${id}`);
		}
	}

	private list(page: number): Answer {
		return { statusCode: 200, body: this.wrapped(page > 1 ? [] : this.endpoints) };
	}

	private create(body: IDataObject): Answer {
		if (this.api.onePerUrl && this.endpoints.some(({ url }) => url === body['url'])) {
			return { statusCode: 409, body: { error: 'A webhook with this URL already exists' } };
		}
		const endpoint = this.make(body);
		this.endpoints.push(endpoint);
		return { statusCode: 201, body: endpoint };
	}

	private make({ url, events = [], secret }: IDataObject): Endpoint {
		this.count += 1;
		const id = {
			number: 7_000 + this.count,
			text: `wh_${this.count}`,
			path: `a/b c%2F${this.count}`,
		}[this.api.idOf];
		const issued = `whsec_issued_${this.count}_0123456789abcdef`;
		return { id, url, events, active: true, secret: secret ?? issued };
	}

	private wrapped(list: readonly Endpoint[]): unknown {
		const { wrap } = this.api;
		return wrap === '' ? list.map(shown) : { [wrap]: list.map(shown) };
	}

	private unwrapped({ body }: Answer): unknown {
		return this.api.wrap === '' ? body : (body as IDataObject)?.[this.api.wrap];
	}
}

function isClear({ kind }: Fault): boolean {
	return kind !== 'withoutOurs';
}

/** Without the secret, which is returned only once. */
function shown({ id, url, events, active }: Endpoint) {
	return { id, url, events, active };
}

/** As the package reads a body. */
function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return text;
	}
}
