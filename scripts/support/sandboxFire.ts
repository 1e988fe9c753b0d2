import { closest } from 'fastest-levenshtein';
import { catalogue, type DeliveryRecord, type FireNews, type Tried } from '../../sandbox';
import { CommandFailure, SandboxClient } from './sandboxClient';
import { outcomeTable, tryLine } from './sandboxText';

/** The options of the command `fire`. */
export interface FireOptions {
	url: string;
	forged?: string | true;
	copies?: number;
	times?: number;
	rate?: number;
	scheme?: string;
	envelope?: string;
	endpoint?: string;
	to?: string;
	secret?: string;
	data?: unknown;
	retry: boolean;
	wait?: true;
}

/** An event of a provider, and how to fire it. */
export interface Fired extends FireOptions {
	provider: string;
	event: string;
}

/** More deliveries than these are counted, not listed. */
const MOST_LINES = 20;

/**
 * Fires an event and shows each try as soon as it is over.
 *
 * @returns whether every valid delivery was accepted, or every forged one refused
 * @throws CommandFailure where nothing was sent, or no sandbox answers to the end
 */
export async function fire(fired: Fired, out: (line: string) => void): Promise<boolean> {
	const client = new SandboxClient(fired.url);
	const firstTries: DeliveryRecord[] = [];
	let expected = 0;
	let begun: number | undefined;
	const show = (tried: Tried) => {
		const isFirst = tried.delivery.attempts.length === 1;
		if (isFirst) firstTries.push(tried.delivery);
		if (expected <= MOST_LINES) out(tryLine(tried));
		else if (isFirst && firstTries.length % Math.ceil(expected / 10) === 0) {
			out(`${firstTries.length} of ${expected} sent`);
		}
	};
	const end = (deliveries: readonly DeliveryRecord[]): boolean => {
		if (expected > MOST_LINES) out(outcomeTable(deliveries));
		return deliveries.every((delivery) => isAsWanted(delivery, fired));
	};
	for await (const news of client.lines<FireNews>('POST', '/fire/tries', toFireBody(fired))) {
		if ('error' in news) throw new CommandFailure(news.error);
		if ('ended' in news) return end(news.ended);
		if ('receivers' in news) expected = begin(fired, news.receivers, out);
		else if ('tried' in news) show(news.tried);
		else ({ begun } = news);
		if (firstTries.length === begun) {
			const open = firstTries.filter(({ state }) => state === 'pending').length;
			if (open > 0) out(outlook(open, fired));
			if (fired.wait !== true) return end(firstTries);
			// Reported once; from now on the end is awaited.
			begun = undefined;
		}
	}
	throw client.notTheSandbox();
}

/** Prints what is fired, with a hint if no document has the name. @returns how many deliveries to expect */
function begin(fired: Fired, receivers: number, out: (line: string) => void): number {
	const { event, times = 1 } = fired;
	const doubt = spellingDoubt(fired);
	if (receivers === 0) {
		const reason = `No active endpoint is subscribed to ${event}: nothing was sent.`;
		throw new CommandFailure(doubt === undefined ? reason : `${reason} ${doubt}`);
	}
	const expected = receivers * times;
	out(`Firing ${event}: ${expected} ${expected === 1 ? 'delivery' : 'deliveries'}.`);
	if (doubt !== undefined) out(doubt);
	return expected;
}

function spellingDoubt({ provider, event }: Fired): string | undefined {
	const names = catalogue.find((entry) => entry.provider === provider)?.events ?? [];
	const documented = names.map(({ name }) => name);
	if (documented.length === 0 || documented.includes(event)) return undefined;
	return `No document of ${provider} has an event ${event}; did you mean ${closest(event, documented)}?`;
}

function outlook(open: number, { wait }: Fired): string {
	const what = open === 1 ? '1 delivery is tried again' : `${open} deliveries are tried again`;
	return wait === true
		? `${what}; Ctrl-C ends the wait.`
		: `${what}: --wait waits for that, and the command "log --follow" shows it.`;
}

function toFireBody(fired: Fired): object {
	const { provider, event, forged, copies, times, rate, scheme, envelope } = fired;
	const { endpoint, to, secret, data, retry } = fired;
	return {
		provider,
		event,
		copies,
		times,
		scheme,
		envelope,
		secret,
		data,
		perSecond: rate,
		endpointId: endpoint,
		url: to,
		tamper: forged,
		...(retry ? {} : { retry }),
	};
}

/** A valid delivery has to be accepted and a forged one refused, not merely left without an answer. */
function isAsWanted({ state, attempts }: DeliveryRecord, { forged }: FireOptions): boolean {
	if (forged === undefined) return state === 'delivered';
	const answered = attempts.at(-1)?.status !== undefined;
	// Only an unsigned header is wrong: a receiver may trust the body, or refuse it.
	return answered && (forged === 'swappedEvent' || state === 'failed');
}
