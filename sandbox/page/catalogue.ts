import { providers } from '../providers';
import type { Fault, ProviderId } from '../types';
import type { WaitingFault } from './types';

/** The data that an event has when nobody edits it. */
export function sampleOf({
	provider,
	event,
	envelope,
}: {
	provider: ProviderId;
	event: string;
	envelope?: string | undefined;
}): { data: unknown } {
	const { envelopes, newEventId, sampleData } = providers[provider];
	return {
		data: sampleData({
			event,
			envelope: envelope ?? envelopes[0].id,
			id: newEventId(event),
			at: new Date().toISOString(),
		}),
	};
}

/** The part of a fault that is shown. */
export function toWaitingFault({
	provider,
	kind,
	status,
	delayMs,
	times = 1,
}: Fault): WaitingFault {
	return {
		kind,
		times,
		...(provider === undefined ? {} : { provider }),
		...(status === undefined ? {} : { status }),
		...(delayMs === undefined ? {} : { delayMs }),
	};
}
