import { withoutSlashesAtEnd } from './url';

/** What a provider's facts say of its address. */
export interface BaseUrlFacts {
	/** Its own address, the default of the credential's Base URL. */
	readonly baseUrl: string;
	/** Paths that its documents print behind the host, the longest first, besides those of `api`. */
	readonly apiRoots?: readonly string[];
	readonly api?: { readonly paths: readonly string[] };
}

/** A host name with a dot, with or without a port and a path: what people type for an address. */
const HOST = /^[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:\/|$)/;

/**
 * The address that a person means by a Base URL: none is the provider's own, `https://` may be missing, and a path that
 * the provider's documents print behind the host is left out, because it is that of each call.
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
