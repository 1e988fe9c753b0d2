import type { ItemStyle } from '../webhookApi';

/**
 * What is learned about one installation of a provider's API by calling it: documents leave it open, or name
 * several ways.
 */
export interface Installation {
	/** The collection path that answered. */
	path?: string;
	/** The way of addressing one endpoint that answered. */
	itemStyle?: ItemStyle;
	/** It turned out not to serve the call that gets one endpoint. */
	lacksGet?: boolean;
}
