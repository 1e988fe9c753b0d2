import { withoutSlashesAtEnd } from './url';

/** The facts about a provider's address. */
export interface BaseUrlFacts {
	/** Its own address, the default of the credential's Base URL. */
	readonly baseUrl: string;
	/** Further paths that its documents print after the host, besides those of `api`; the longest first. */
	readonly apiRoots?: readonly string[];
	readonly api?: { readonly paths: readonly string[] };
}

/** A host name with a dot, with or without a port and a path: an address as people type it. */
const HOST = /^[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:\/|$)/;

/**
 * The address that the user means by a Base URL. An empty one stands for the provider's own, a missing `https://` is
 * added, and a path that the provider's documents print after the host is removed, because each call adds its own.
 */
export function baseUrlMeant(
	written: string,
	{ baseUrl, api, apiRoots = [] }: BaseUrlFacts,
): string {
	const text = withoutSlashesAtEnd(written.trim());
	if (text === '') return baseUrl;
	const address = HOST.test(text) ? `https://${text}` : text;
	const path = [...(api?.paths ?? []), ...apiRoots].find((ending) => address.endsWith(ending));
	return path === undefined ? address : address.slice(0, -path.length);
}
