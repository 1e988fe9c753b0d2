import { ALL_EVENTS, canonicalEvent } from '../events';
import type { Provider } from '../provider';
import type { TriggerSettings } from '../settings';
import type { ReceivedEvent } from './event';

/** Which events a node lets through. */
export type Selection = Pick<TriggerSettings, 'events' | 'bounceType'>;

/** What the selection goes by. */
type Selectable = Pick<ReceivedEvent, 'name' | 'named' | 'bounceType'>;

/** Whether a delivery is a test of the webhook URL. */
export function isPing({ envelope }: Provider, { name }: Selectable): boolean {
	return envelope.pings.includes(name);
}

/** Why an event does not run, as the answer puts it. @returns undefined for one that runs */
export function reasonToIgnore(
	provider: Provider,
	{ events, bounceType }: Selection,
	event: Selectable,
): string | undefined {
	if (isPing(provider, event)) return 'ping';
	const selected =
		!event.named ||
		events.includes(ALL_EVENTS) ||
		events.some((name) => canonicalEvent(provider, name) === event.name);
	if (!selected) return 'event is not selected';
	// A bounce that does not say what it is runs: better one too many than a lost one.
	if (bounceType !== 'any' && event.bounceType !== undefined && event.bounceType !== bounceType) {
		return `only ${bounceType} bounces are selected`;
	}
	return undefined;
}
