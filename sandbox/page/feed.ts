import { createChannel, createSession } from 'better-sse';
import type { RequestHandler } from 'express';
import { LONGEST_LOGGED_BODY } from '../answers';
import type { ObservedAttempt, Observer } from '../observer';
import type { ApiRequestRecord, DeliveryAttempt } from '../types';
import type { Account, Entry, PageChange, PageState, Result } from './types';

/** How many entries are kept, and sent to a page when it connects. */
export const LONGEST_LOG = 500;
/** How long changes are collected, so that a burst of events takes few messages. */
const BATCH_MS = 100;
/** How long a page waits before it reconnects when the sandbox has ended. */
const RECONNECT_MS = 500;

type Source = ObservedAttempt | ApiRequestRecord;

/** Keeps the newest entries of the log, and sends every change to the pages that are open. */
export class Feed {
	private readonly keys = new WeakMap<Source, number>();
	private readonly kept = new Map<number, Source>();
	private readonly changed = new Set<number>();
	private readonly channel = createChannel();
	private lastKey = 0;
	private lastAccount = '';
	private timer: NodeJS.Timeout | undefined;

	constructor(
		observer: Observer,
		private readonly account: () => Account,
	) {
		observer.on('attempt', (attempt) => this.note(attempt));
		observer.on('call', (call) => this.note(call));
		observer.on('change', () => this.plan());
		observer.on('reset', () => {
			this.kept.clear();
			this.changed.clear();
			this.channel.broadcast(this.state(), 'state');
		});
	}

	state(): PageState {
		return {
			account: this.account(),
			entries: [...this.kept].map(([key, source]) => toEntry(key, source)),
		};
	}

	/** Server-sent events: `state` once, then `change` whenever something changes. */
	readonly connect: RequestHandler = async (request, response) => {
		const session = await createSession(request, response, { retry: RECONNECT_MS });
		session.push(this.state(), 'state');
		// What this page knows may be older than what was sent last.
		this.lastAccount = '';
		this.channel.register(session);
	};

	close(): void {
		clearTimeout(this.timer);
	}

	private note(source: Source): void {
		const known = this.keys.get(source);
		if (known !== undefined && !this.kept.has(known)) return;
		const key = known ?? (this.lastKey += 1);
		this.keys.set(source, key);
		this.kept.set(key, source);
		if (this.kept.size > LONGEST_LOG) this.forget(this.kept.keys().next().value ?? 0);
		this.changed.add(key);
		this.plan();
	}

	private forget(key: number): void {
		this.kept.delete(key);
		this.changed.delete(key);
	}

	private plan(): void {
		this.timer ??= setTimeout(() => this.send(), BATCH_MS).unref();
	}

	private send(): void {
		this.timer = undefined;
		if (this.channel.sessionCount === 0) {
			this.changed.clear();
			return;
		}
		const account = this.account();
		const text = JSON.stringify(account);
		const change: PageChange = {
			entries: [...this.kept]
				.filter(([key]) => this.changed.has(key))
				.map(([key, source]) => toEntry(key, source)),
			...(text === this.lastAccount ? {} : { account }),
		};
		this.lastAccount = text;
		this.changed.clear();
		this.channel.broadcast(change, 'change');
	}
}

function toEntry(key: number, source: Source): Entry {
	return 'delivery' in source ? attemptEntry(key, source) : callEntry(key, source);
}

function attemptEntry(key: number, attempt: ObservedAttempt): Entry {
	const { at, number, tamper, headers, result, retry } = attempt;
	const { id, provider, event, url, endpointId } = attempt.delivery;
	return {
		kind: 'attempt',
		key,
		at,
		provider,
		event,
		url,
		deliveryId: id,
		number,
		headers,
		body: cut(attempt.body.toString('utf8')),
		...(endpointId === undefined ? {} : { endpointId }),
		...(tamper === undefined ? {} : { tamper }),
		...(retry === undefined ? {} : { retry }),
		...(result === undefined ? {} : { result: resultOf(result) }),
	};
}

function resultOf({
	status,
	error,
	responseBody,
	durationMs,
}: Omit<DeliveryAttempt, 'at'>): Result {
	return {
		durationMs,
		...(status === undefined ? {} : { status }),
		...(error === undefined ? {} : { error }),
		...(responseBody === undefined ? {} : { body: responseBody }),
	};
}

function callEntry(key: number, call: ApiRequestRecord): Entry {
	const { at, provider, method, path, body, durationMs } = call;
	return {
		kind: 'call',
		key,
		at,
		method,
		path,
		...(provider === undefined ? {} : { provider }),
		...(body === undefined ? {} : { body: cut(JSON.stringify(body, undefined, 2)) }),
		...(durationMs === undefined ? {} : { result: resultOf({ ...call, durationMs }) }),
	};
}

function cut(text: string): string {
	return text.length <= LONGEST_LOGGED_BODY ? text : `${text.slice(0, LONGEST_LOGGED_BODY)} …`;
}
