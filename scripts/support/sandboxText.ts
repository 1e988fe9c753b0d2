import { lastAnswer, type DeliveryRecord, type SandboxEndpoint, type Tried } from '../../sandbox';
import type { AttemptEntry, CallEntry, Entry, Result } from '../../sandbox/page/types';
import { asTable } from '../../testkit/table';

/** Endpoints as a table. */
export function endpointTable(endpoints: readonly SandboxEndpoint[]): string {
	if (endpoints.length === 0) return 'No endpoint is registered.';
	return asTable([
		['provider', 'endpoint', 'state', 'events', 'URL'],
		...endpoints.map(({ provider, id, active, events, url }) => [
			provider,
			id,
			active ? 'on' : 'off',
			events.join(','),
			url,
		]),
	]);
}

/** Counts the outcomes of deliveries. */
export function outcomeTable(deliveries: readonly DeliveryRecord[]): string {
	const counts = new Map<string, number>();
	for (const delivery of deliveries) {
		const outcome = `${delivery.state}, ${lastAnswer(delivery)}`;
		counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
	}
	return asTable([
		['deliveries', 'outcome'],
		...[...counts].map(([outcome, count]) => [String(count), outcome]),
	]);
}

/** A try to deliver as a line. */
export function tryLine({ delivery, retry }: Tried): string {
	const { attempts, url } = delivery;
	const { at = 0, durationMs = 0 } = attempts.at(-1) ?? {};
	const next = retry === undefined ? '' : `, next try at ${clock(retry.at)}`;
	return `${clock(at)} ${url}, try ${attempts.length} -> ${lastAnswer(delivery)}, in ${durationMs} ms${next}`;
}

/** An entry of the log as a line, with headers and bodies below it where `full`. */
export function logLine(entry: Entry, full: boolean): string {
	const { at, provider = '-', result, body = '' } = entry;
	const what = entry.kind === 'call' ? describeCall(entry) : describeAttempt(entry);
	const ended = [
		`${clock(at)} ${entry.kind === 'call' ? 'call    ' : 'delivery'} ${provider} ${what} -> ${outcome(result)}`,
		...(result === undefined ? [] : [`in ${result.durationMs} ms`]),
	];
	if (entry.kind === 'attempt' && entry.retry !== undefined) {
		ended.push(`next try at ${clock(entry.retry.at)}`);
	}
	const line = ended.join(', ');
	if (!full) return line;
	const headers = entry.kind === 'call' ? {} : entry.headers;
	const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
	return [
		line,
		...section('Request', [...head, body].join('\n')),
		...section('Answer', result?.body ?? ''),
	].join('\n');
}

function describeCall({ method, path }: CallEntry): string {
	return `${method} ${path}`;
}

function describeAttempt({ event, tamper, number }: AttemptEntry): string {
	const forged = tamper === undefined ? '' : `forged: ${tamper}, `;
	return `${event}, ${forged}try ${number}`;
}

function outcome(result: Result | undefined): string {
	if (result === undefined) return 'waiting';
	return String(result.status ?? result.error ?? 'no answer');
}

/** The time of day in UTC, with milliseconds. */
function clock(epochMs: number): string {
	return new Date(epochMs).toISOString().slice(11, 23);
}

function section(title: string, text: string): string[] {
	return text === '' ? [] : [`  ${title}`, text.replace(/^/gm, '    ')];
}
