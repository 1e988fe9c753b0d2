import type { IAuthenticateRuleResponseCode } from 'n8n-workflow';

/**
 * For a credential's test, whose request does not follow redirects: n8n would send the key along, to
 * whatever host is named.
 */
export const REDIRECT_RULES: readonly IAuthenticateRuleResponseCode[] = [
	301, 302, 303, 307, 308,
].map((value) => ({
	type: 'responseCode',
	properties: {
		value,
		message:
			'The Base URL redirects to another address, where the key is not sent. Enter the final address.',
	},
}));
