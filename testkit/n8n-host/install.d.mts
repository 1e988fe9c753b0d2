/** Where an installed n8n is and what runs it. */
export interface InstalledHost {
	/** The cache folder of this pin. */
	dir: string;
	/** The Node binary that comes with it. */
	nodeBinary: string;
	/** n8n's command-line script. */
	n8nBin: string;
	/** n8n's version, e.g. `2.41.1`. */
	version: string;
}

/** See install.mjs. */
export function ensureN8nHost(options?: {
	log?: (line: string) => void;
	pin?: string;
}): Promise<InstalledHost>;
export function cacheRoot(env?: NodeJS.ProcessEnv): string;
export function cacheKey(pin?: string): string;
