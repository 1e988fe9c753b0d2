import { CALL_LIMITS } from './limitedRequest';

/** Why a call got no complete answer. */
export interface NoAnswer {
	readonly message: string;
	/** What to do; absent where a wrong Base URL is the likeliest cause. */
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

/**
 * Explains why a call got no complete answer.
 * @param name of the provider
 * @param code of the error: Node.js's, OpenSSL's (verify(1), X509_V_ERR_…), or that of a limit exceeded
 */
export function noAnswer(name: string, code: string): NoAnswer {
	if (code === 'ERR_BODY_TOO_LARGE') {
		return {
			message: `${name} sent an answer of more than ${CALL_LIMITS.maxBytes / 2 ** 20} MB, which is too large`,
			advice:
				'Check the Base URL in the credential: something else may answer there instead of the API',
		};
	}
	if (code === 'ERR_OUT_OF_TIME') {
		return {
			message: `${name} took more than a minute to answer all calls`,
			advice: 'Nothing is wrong with the workflow: try again in a few minutes',
		};
	}
	const [why, advice] = explain(code);
	return {
		message: `${name} could not be reached (${why})`,
		...(advice === undefined ? {} : { advice }),
	};
}

function explain(code: string): readonly [why: string, advice?: string] {
	if (NOT_TRUSTED.includes(code)) {
		return [
			`this n8n does not trust its certificate: ${code}`,
			'Start n8n with the environment variable NODE_EXTRA_CA_CERTS set to a file with the certificate of the authority that issued it, or give the server a certificate of a public authority',
		];
	}
	if (code.startsWith('ERR_SSL_') || code === 'EPROTO') {
		return [
			`what answers there does not use HTTPS: ${code}`,
			'Check the port of the Base URL in the credential. Where the server has no HTTPS, the address starts with http://',
		];
	}
	if (code.startsWith('HPE_')) {
		return [
			`what answers there does not use HTTP: ${code}`,
			'Check the port of the Base URL in the credential. Where the server has HTTPS only, the address starts with https://',
		];
	}
	switch (code) {
		case 'ERR_TLS_CERT_ALTNAME_INVALID':
			return [
				`its certificate is for another host: ${code}`,
				'Enter the host name that the certificate is for in the Base URL of the credential, or give the server a certificate for this one',
			];
		case 'CERT_HAS_EXPIRED':
			return [
				`its certificate has expired: ${code}`,
				'Renew the certificate of the server. If it is valid, set the clock of this n8n',
			];
		case 'CERT_NOT_YET_VALID':
			return [
				`its certificate is not valid yet: ${code}`,
				'Set the clock of this n8n, or that of the server which made the certificate',
			];
		case 'ECONNREFUSED':
			return ['nothing listens at this address'];
		case 'ERR_INVALID_URL':
			return ['the Base URL is not an address that starts with https://'];
		case 'ENOTFOUND':
		case 'EAI_AGAIN':
			return ['the host name is unknown'];
		case 'ECONNRESET':
		case 'EPIPE':
			return ['the connection was closed before the answer'];
		case 'ECONNABORTED':
		case 'ETIMEDOUT':
			return ['no answer in time'];
		default:
			return ['the connection failed'];
	}
}
