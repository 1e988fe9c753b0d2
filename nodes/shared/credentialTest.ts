import {
	type ICredentialDataDecryptedObject,
	type ICredentialsDecrypted,
	type ICredentialTestFunctions,
	type ICredentialType,
	type IHttpRequestOptions,
	type INodeCredentialTestResult,
} from 'n8n-workflow';
import { z } from 'zod/v4';

import { baseUrlMeant } from './baseUrl';
import { FIELD_NAMES } from './credential';
import { Refused, requestWithin } from './limitedRequest';
import type { ProviderFamily } from './provider';
import { flawOf, objectionTo } from './secretText';
import { noAnswer } from './unreachable';
import { isHttpUrl, urlBelow } from './url';

/** A credential that says how it is tested. */
export interface TestableCredential extends ICredentialType {
	readonly check: {
		/** Paths below the Base URL of a call that any key may make; by product where there are several. */
		readonly path: string | Readonly<Record<string, string>>;
		/** Messages for statuses that mean something specific here. */
		readonly messages: Readonly<Record<number, string>>;
	};
	authenticate(
		credentials: ICredentialDataDecryptedObject,
		request: IHttpRequestOptions,
	): Promise<IHttpRequestOptions>;
}

/** What n8n's HTTP client throws when no server answers. */
const thrownSchema = z.object({
	code: z.string().optional(),
	cause: z.object({ code: z.string().optional() }).optional(),
});

/**
 * n8n's `methods.credentialTest` of a node. A function and not a request, because only a function can
 * accept a credential without a key, and explain that no server answers.
 *
 * @param name - what `testedBy` names
 */
export function credentialTests(name: string, type: TestableCredential, family: ProviderFamily) {
	return {
		credentialTest: {
			async [name](
				this: ICredentialTestFunctions,
				credential: ICredentialsDecrypted,
			): Promise<INodeCredentialTestResult> {
				return await testCredential(this, type, family, credential.data ?? {});
			},
		},
	};
}

async function testCredential(
	context: ICredentialTestFunctions,
	type: TestableCredential,
	family: ProviderFamily,
	entered: ICredentialDataDecryptedObject,
): Promise<INodeCredentialTestResult> {
	const provider = family.find(({ product }) => product === entered['product']) ?? family[0];
	const baseUrl = baseUrlMeant(String(entered['baseUrl'] ?? ''), provider);
	const fields: ICredentialDataDecryptedObject = { ...entered, baseUrl };
	for (const [name, title] of FIELD_NAMES) {
		const objection = objectionTo(title, String(fields[name] ?? ''));
		if (objection !== undefined) {
			const { message, whatToDo } = objection;
			return { status: 'Error', message: [message, whatToDo, ''].join('. ').trim() };
		}
	}
	const { path } = type.check;
	const product = String(fields['product']);
	const tested =
		typeof path === 'string' ? path : Object.hasOwn(path, product) ? path[product] : undefined;
	const hasKey = ['apiKey', 'password'].some(
		(name) => flawOf(String(fields[name] ?? '')) !== 'empty',
	);
	if (!hasKey || tested === undefined) {
		return { status: 'OK', message: 'No API key: only the signing secret is used.' };
	}
	if (!isHttpUrl(baseUrl)) return noServer(type, 'ERR_INVALID_URL');
	const url = urlBelow(baseUrl, tested);
	const send = sender(context);
	try {
		const session = await type.preAuthentication?.call({ helpers: { httpRequest: send } }, fields);
		const sessionToken = String(session?.['sessionToken'] ?? '');
		const request = await type.authenticate({ ...fields, sessionToken }, { url });
		const { statusCode, body } = await requestWithin(send, request);
		return verdict(type, statusCode, body);
	} catch (error) {
		if (error instanceof Refused) return verdict(type, error.response.status, undefined);
		const thrown = thrownSchema.safeParse(error).data;
		return noServer(type, thrown?.cause?.code ?? thrown?.code ?? 'unknown error');
	}
}

/** Sends a request through the only helper that n8n gives to credential tests. */
function sender({ helpers }: ICredentialTestFunctions) {
	return async ({
		method = 'GET',
		url,
		headers,
		body,
		timeout,
		abortSignal: signal,
	}: IHttpRequestOptions) =>
		await helpers.request({
			method,
			uri: url,
			...(headers === undefined ? {} : { headers }),
			...(body === undefined ? {} : { body }),
			json: true,
			useStream: true,
			simple: false,
			followRedirect: false,
			resolveWithFullResponse: true,
			timeout,
			// The helper takes no signal, but the connection does (Node.js: net.Socket, http.Agent).
			agentOptions: { signal },
		});
}

function verdict(
	{ displayName, check }: TestableCredential,
	status: number,
	body: unknown,
): INodeCredentialTestResult {
	const known = check.messages[status];
	if (known !== undefined) return refused(known);
	if (status >= 300 && status < 400) {
		return refused(
			'The Base URL redirects to another address, where the key is not sent. Enter the final address.',
		);
	}
	if (status === 429 || status >= 500) {
		return refused(
			`${displayName} does not answer at the moment (HTTP ${status}). Try again in a few minutes.`,
		);
	}
	if (status >= 400) {
		return refused(`${displayName} refused the request (HTTP ${status}). Check the Base URL.`);
	}
	if (typeof body !== 'object') {
		return refused('A web page answers at this Base URL, not the API. Check the address.');
	}
	return { status: 'OK', message: 'Connection successful!' };
}

function noServer({ displayName }: TestableCredential, code: string): INodeCredentialTestResult {
	const { message, advice } = noAnswer(displayName, code);
	if (advice !== undefined) return refused([message, `${advice}.`].join('. '));
	return refused(
		`No server answers at this Base URL. Check the spelling; it starts with https:// (${code})`,
	);
}

function refused(message: string): INodeCredentialTestResult {
	return { status: 'Error', message };
}
