import type { NodeOperationError } from 'n8n-workflow';

import { settingsError, type NodeContext } from './errors';
import type { Provider } from './provider';

/** Value of the `events` parameter that stands for every event. */
export const ALL_EVENTS = '*';

/** Names as the field Custom Events holds them: separated by commas or white space. */
export function namesIn(text: string): string[] {
	return text.split(/[\s,]+/).filter(isEventName);
}

/** The names that are chosen in a list and those typed beside it. */
export function selectedNames(chosen: readonly unknown[], custom: string): string[] {
	return [...chosen.filter(isEventName), ...namesIn(custom)];
}

/**
 * The names to register for a selection: "all events" is the full list of documented names,
 * without those that no document confirms.
 */
export function eventsToRegister(provider: Provider, selected: readonly string[]): string[] {
	const documented = provider.events.filter((event) => event.unconfirmed === undefined);
	const all = selected.includes(ALL_EVENTS) ? documented.map((event) => event.name) : [];
	return [...new Set([...all, ...selected.filter((name) => name !== ALL_EVENTS)])];
}

/**
 * The form in which names of events are compared: in lower case, without white space around, and one name for an event
 * that a provider has several names for.
 */
export function canonicalEvent({ envelope }: Provider, name: string): string {
	const plain = name.trim().toLowerCase();
	return envelope.canonicalEvent?.(plain) ?? plain;
}

/** The documented name that a name stands for, whatever its spelling. @returns undefined for other events */
export function documentedEvent(provider: Provider, name: string): string | undefined {
	const canonical = canonicalEvent(provider, name);
	const isDocumented =
		provider.events.some((event) => event.name === canonical) ||
		provider.envelope.testEvents.includes(canonical);
	return isDocumented ? canonical : undefined;
}

/** Whether two lists name the same events, in any order and spelling, capitals included. */
export function sameEvents(
	provider: Provider,
	left: readonly string[],
	right: readonly string[],
): boolean {
	const canonical = (names: readonly string[]) =>
		new Set(names.map((name) => canonicalEvent(provider, name)));
	const [a, b] = [canonical(left), canonical(right)];
	return a.size === b.size && [...a].every((name) => b.has(name));
}

export function isEventName(value: unknown): value is string {
	return typeof value === 'string' && value !== '';
}

/** @param where the field for names that are not in the list, e.g. "Custom Events" */
export function noEventSelected(
	context: NodeContext,
	{ displayName }: Provider,
	where: string,
): NodeOperationError {
	return settingsError(
		context,
		'No event is selected',
		`Choose at least one event of ${displayName}, or add a name under ${where}`,
	);
}
