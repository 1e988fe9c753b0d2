import type { IDataObject } from 'n8n-workflow';

import { readRecipient } from '../delivery/event';
import { sourceOf } from '../product';
import type { Provider } from '../provider';
import type { ListedEvent } from '../recoveryApi';
import { nameOf } from './identity';
import type { MissedEvent } from './listEvents';

/** The item that a workflow gets of a recovered event. */
export function recoveredItem(
	provider: Provider,
	{ identity }: MissedEvent,
	{ event, at, data, source }: ListedEvent,
): IDataObject {
	return {
		event,
		recipient: readRecipient(provider.envelope, data),
		occurredAt: new Date(at).toISOString(),
		data,
		deliveryId: nameOf(identity),
		...sourceOf(provider),
		recovered: true,
		source,
	};
}
