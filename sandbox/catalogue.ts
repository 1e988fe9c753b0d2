import type { Provider } from './provider';
import { providers } from './providers';
import type { CatalogueEntry } from './types';

/** All providers, in the order in which a path is offered to them. */
export const providerList: readonly Provider[] = Object.values(providers);

/** Every scheme, envelope and event that a document or SDK names, for table-driven tests. */
export const catalogue: CatalogueEntry[] = providerList.map((provider) => ({
	provider: provider.id,
	title: provider.title,
	schemes: provider.schemes.map(({ id, source, timestamped, eventHeader }) => ({
		id,
		source,
		timestamped,
		...(eventHeader === undefined ? {} : { eventHeader: eventHeader.toLowerCase() }),
	})),
	envelopes: provider.envelopes.map(({ id, source }) => ({ id, source })),
	events: provider.events.map((event) => ({ ...event })),
}));
