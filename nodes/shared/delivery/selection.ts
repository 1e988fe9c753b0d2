import { ALL_EVENTS, canonicalEvent, documentedEvent } from '../events';
import type { Provider } from '../provider';
import type { TriggerSettings } from '../settings';
import type { ReceivedEvent } from './event';

/** Which events a node lets through. */
export type Selection = Pick<TriggerSettings, 'events' | 'bounceType' | 'conditions'>;

/** The fields of an event that a selection looks at. */
type Selectable = Pick<ReceivedEvent, 'name' | 'named' | 'bounceType'>;

/** Whether a delivery is a test of the webhook URL. */
export function isPing({ envelope }: Provider, { name }: Selectable): boolean {
	return envelope.testEvents.includes(name);
}

/** Why an event does not start a run, in the words of the answer. @returns undefined for one that does */
export function reasonToIgnore(
	provider: Provider,
	{ events, bounceType }: Omit<Selection, 'conditions'>,
	event: Selectable,
): string | undefined {
	if (isPing(provider, event)) return 'ping';
	const runs = !event.named || events.includes(ALL_EVENTS) || isChosen(provider, events, event);
	if (!runs) return 'event is not selected';
	// A bounce that does not state its type starts a run: better one run too many than a lost event.
	if (bounceType !== 'any' && event.bounceType !== undefined && event.bounceType !== bounceType) {
		return `only ${bounceType} bounces are selected`;
	}
	return undefined;
}

/** Whether neither the provider's list nor the selection has the name of an event. */
export function isUnknown(
	provider: Provider,
	{ events }: Pick<Selection, 'events'>,
	event: Selectable,
): boolean {
	if (event.named && documentedEvent(provider, event.name) !== undefined) return false;
	// If no event of the provider is documented, "all events" can only mean undocumented ones.
	if (provider.events.length === 0 && events.includes(ALL_EVENTS)) return false;
	return !event.named || !isChosen(provider, events, event);
}

/** Whether an event is selected by its name, in whatever spelling. */
function isChosen(provider: Provider, events: readonly string[], { name }: Selectable): boolean {
	if (events.includes(name)) return true;
	const canonical = canonicalEvent(provider, name);
	return events.some((chosen) => canonicalEvent(provider, chosen) === canonical);
}
