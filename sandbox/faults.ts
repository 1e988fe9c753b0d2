import { json } from './answers';
import type { Answer, ApiErrors, ApiRequest } from './provider';
import type { Fault, ProviderId } from './types';

/** What happens to the connection. */
export type ResponseMode = 'whole' | 'truncate' | 'drop' | 'hang';

/** An answer and how much of it reaches the caller. */
export interface Outcome {
	answer: Answer;
	mode: ResponseMode;
}

/** As much of the answer's body as the caller gets; undefined if there is none. */
export function sentBody({ answer: { text }, mode }: Outcome): Buffer | undefined {
	if (text === undefined || mode === 'drop' || mode === 'hang') return undefined;
	const bytes = Buffer.from(text);
	return mode === 'whole' ? bytes : bytes.subarray(0, Math.ceil(bytes.length / 2));
}

/** Seconds that a caller is told to wait if the fault does not say. */
const RETRY_AFTER_SECONDS = 1;

/** The faults that wait for a request. */
export class Faults {
	private waiting: Array<{ fault: Fault; left: number }> = [];

	add(fault: Fault): void {
		this.waiting.push({ fault, left: fault.times ?? 1 });
	}

	clear(): void {
		this.waiting = [];
	}

	/** Pending faults, each with the number of requests that it will still hit. */
	list(): Fault[] {
		return this.waiting.map(({ fault, left }) => ({ ...fault, times: left }));
	}

	/** The first fault for this request; it is used up once by this call. */
	take(provider: ProviderId, request: ApiRequest): Fault | undefined {
		const hit = this.waiting.find(({ fault }) => matches(fault, provider, request));
		if (!hit) return undefined;
		hit.left -= 1;
		if (hit.left <= 0) this.waiting = this.waiting.filter((entry) => entry !== hit);
		return hit.fault;
	}
}

function matches(fault: Fault, provider: ProviderId, { method, path }: ApiRequest): boolean {
	if (fault.provider !== undefined && fault.provider !== provider) return false;
	if (fault.method !== undefined && fault.method.toUpperCase() !== method) return false;
	if (fault.path === undefined) return true;
	// String.search does not move the position of a sticky or global expression.
	if (fault.path instanceof RegExp) return path.search(fault.path) !== -1;
	return path === fault.path || path.startsWith(`${fault.path}/`);
}

/** What the caller gets; `real` is the provider's own answer, if the request has taken effect. */
export function faultyOutcome(fault: Fault, errors: ApiErrors, real?: Answer): Outcome {
	switch (fault.kind) {
		case 'drop':
		case 'hang':
			return { mode: fault.kind, answer: { status: 0, headers: {} } };
		case 'truncate':
			return {
				mode: 'truncate',
				answer: adjusted(fault, real?.text ? real : json(200, { id: 'cut', url: 'https://' })),
			};
		case 'html':
			return whole(fault, {
				status: 502,
				headers: { 'content-type': 'text/html; charset=utf-8' },
				text: '<!doctype html><title>Bad gateway</title><h1>502 Bad gateway</h1>',
			});
		case 'empty':
			return whole(fault, { status: 200, headers: {} });
		case 'planRefusal':
			return whole(fault, errors.plan());
		case 'rateLimit':
			return whole(fault, errors.rateLimit(retryAfter(fault)));
		case 'scopeRefusal':
			return whole(fault, errors.scope());
		case 'rewrite':
			return whole(fault, rewritten(fault, real));
		case 'status':
		case 'delay':
			return whole(fault, errors.other(fault.status ?? 500));
	}
}

function rewritten({ rewrite }: Fault, real: Answer | undefined): Answer {
	if (real?.text === undefined || rewrite === undefined)
		throw new Error('There is nothing to rewrite');
	return json(real.status, rewrite(JSON.parse(real.text)), real.headers);
}

function retryAfter({ headers = {} }: Fault): number {
	const name = Object.keys(headers).find((header) => header.toLowerCase() === 'retry-after');
	const seconds = Number(name === undefined ? undefined : headers[name]);
	return Number.isFinite(seconds) ? seconds : RETRY_AFTER_SECONDS;
}

function whole(fault: Fault, answer: Answer): Outcome {
	return { mode: 'whole', answer: adjusted(fault, answer) };
}

function adjusted(fault: Fault, answer: Answer): Answer {
	const headers = { ...answer.headers };
	for (const [name, value] of Object.entries(fault.headers ?? {})) {
		headers[name.toLowerCase()] = value;
	}
	const status = fault.status ?? answer.status;
	if (fault.body === undefined) return { ...answer, status, headers };
	if (typeof fault.body === 'string') return { status, headers, text: fault.body };
	return json(status, fault.body, headers);
}
