import type { DeliveryRecord, SandboxEndpoint } from '../../sandbox';
import type { Entry } from '../../sandbox/page/types';
import { asTable } from '../../testkit/table';

/** More deliveries than these are counted, not listed. */
const MOST_ROWS = 20;

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

/** What became of deliveries: one by one, or counted where they are many. */
export function deliveryTable(deliveries: readonly DeliveryRecord[]): string {
	const rows = deliveries.map(({ id, url, attempts, state }) => {
		const last = attempts.at(-1);
		const answer = last?.status ?? last?.error ?? 'no answer';
		return [id, state, String(answer), String(attempts.length), url];
	});
	if (rows.length <= MOST_ROWS) {
		return asTable([['delivery', 'state', 'answer', 'tries', 'URL'], ...rows]);
	}
	const counts = new Map<string, number>();
	for (const [, state = '', answer = ''] of rows) {
		const outcome = `${state}, ${answer}`;
		counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
	}
	return asTable([
		['deliveries', 'outcome'],
		...[...counts].map(([outcome, count]) => [String(count), outcome]),
	]);
}

/** An entry of the log as a line, with headers and bodies below it where `full`. */
export function logLine(entry: Entry, full: boolean): string {
	const time = new Date(entry.at).toISOString().slice(11, 23);
	if (entry.kind === 'call') {
		const line = `${time} call     ${entry.provider ?? '-'} ${entry.method} ${entry.path} -> ${entry.status ?? 'no answer'}`;
		return full && entry.body !== undefined ? `${line}\n${indented(entry.body)}` : line;
	}
	const { provider, event, number, tamper, result, retry, headers, body } = entry;
	const answer = result === undefined ? 'waiting' : (result.status ?? result.error);
	const line = [
		`${time} delivery ${provider} ${event}`,
		...(tamper === undefined ? [] : [`forged: ${tamper}`]),
		`try ${number} -> ${answer}`,
		...(result === undefined ? [] : [`in ${result.durationMs} ms`]),
		...(retry === undefined
			? []
			: [`next try at ${new Date(retry.at).toISOString().slice(11, 23)}`]),
	].join(', ');
	if (!full) return line;
	const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
	return [line, indented([...head, body].join('\n')), indented(result?.body ?? '')].join('\n');
}

function indented(text: string): string {
	return text.replace(/^/gm, '    ');
}
