import { CALL_LIMITS } from './limitedRequest';

/** What came of a call without a whole answer. */
export interface Unreachable {
	/** Goes on after the provider's name, e.g. "could not be reached (the host name is unknown)". */
	readonly what: string;
	/** What to do, where a Base URL that is wrong is not the first thing to think of. */
	readonly advice?: string;
}

const NOT_TRUSTED = [
	'CERT_REJECTED',
	'CERT_UNTRUSTED',
	'DEPTH_ZERO_SELF_SIGNED_CERT',
	'INVALID_CA',
	'SELF_SIGNED_CERT_IN_CHAIN',
	'UNABLE_TO_GET_ISSUER_CERT',
	'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
	'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
];

/** @param code of the error: Node.js's, OpenSSL's (verify(1), X509_V_ERR_…), or that of a limit exceeded */
export function whatHappened(code: string): Unreachable {
	const failed = (reason: string) => `could not be reached (${reason})`;
	if (NOT_TRUSTED.includes(code)) {
		return {
			what: failed(`this n8n does not trust its certificate: ${code}`),
			advice:
				'Start n8n with the environment variable NODE_EXTRA_CA_CERTS set to a file with the certificate of the authority that issued it, or give the server a certificate of a public authority',
		};
	}
	if (code.startsWith('ERR_SSL_') || code === 'EPROTO') {
		return {
			what: failed(`what answers there does not speak HTTPS: ${code}`),
			advice:
				'Check the port of the Base URL in the credential. Where the server has no HTTPS, the address starts with http://',
		};
	}
	if (code.startsWith('HPE_')) {
		return {
			what: failed(`what answers there does not speak HTTP: ${code}`),
			advice:
				'Check the port of the Base URL in the credential. Where the server has HTTPS only, the address starts with https://',
		};
	}
	switch (code) {
		case 'ERR_TLS_CERT_ALTNAME_INVALID':
			return {
				what: failed(`its certificate is for another host: ${code}`),
				advice:
					'Enter the host name that the certificate is for in the Base URL of the credential, or give the server a certificate for this one',
			};
		case 'CERT_HAS_EXPIRED':
			return {
				what: failed(`its certificate has expired: ${code}`),
				advice: 'Renew the certificate of the server. If it is valid, set the clock of this n8n',
			};
		case 'CERT_NOT_YET_VALID':
			return {
				what: failed(`its certificate is not valid yet: ${code}`),
				advice: 'Set the clock of this n8n, or that of the server which made the certificate',
			};
		case 'ERR_BODY_TOO_LARGE':
			return {
				what: `answered with more than ${CALL_LIMITS.maxBytes / 2 ** 20} MB, which is not read`,
				advice:
					'Check the Base URL in the credential: something else may answer there instead of the API',
			};
		case 'ERR_OUT_OF_TIME':
			return {
				what: 'is so slow that its calls take more than a minute together',
				advice: 'Nothing is wrong with the workflow: try again in a few minutes',
			};
		case 'ECONNREFUSED':
			return { what: failed('nothing listens at this address') };
		case 'ERR_INVALID_URL':
			return { what: failed('the Base URL is not an address that starts with https://') };
		case 'ENOTFOUND':
		case 'EAI_AGAIN':
			return { what: failed('the host name is unknown') };
		case 'ECONNRESET':
		case 'EPIPE':
			return { what: failed('the connection was closed before the answer') };
		case 'ECONNABORTED':
		case 'ETIMEDOUT':
			return { what: failed('no answer in time') };
		default:
			return { what: failed('the connection did not work') };
	}
}
