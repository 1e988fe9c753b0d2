import { createServer as createPlain } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { createServer as createSocketServer, type AddressInfo, type Server } from 'node:net';
import tls from 'node:tls';

import { afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { NodeApiError } from 'n8n-workflow';
import { generate, type GenerateResult } from 'selfsigned';

import type { Sandbox } from '../../sandbox';
import { ContextHost } from '../../testkit/contextHost';
import { testCredential } from './credentialHost';
import { selfRegistering } from './hosts';
import { misarMail } from './providers';
import { useSandbox } from './useSandbox';

/** Base URLs whose server has an unusable certificate, or does not use the protocol in the address. */

const DAY_MS = 24 * 60 * 60_000;

interface Row {
	readonly title: string;
	readonly server: () => Promise<Server>;
	readonly scheme?: 'http' | 'https';
	/** Whether n8n was started with NODE_EXTRA_CA_CERTS. */
	readonly trusted?: true;
	readonly reason: string;
	readonly code: RegExp;
	readonly advice: RegExp;
}

const rows: readonly Row[] = [
	{
		title: 'a certificate that the server made itself',
		server: async () => await secure(await certificate({ by: 'itself' })),
		reason: 'this n8n does not trust its certificate',
		code: /DEPTH_ZERO_SELF_SIGNED_CERT/,
		advice: /NODE_EXTRA_CA_CERTS/,
	},
	{
		title: 'a certificate of an authority that is not trusted',
		server: async () => await secure(await certificate({})),
		reason: 'this n8n does not trust its certificate',
		code: /UNABLE_TO_VERIFY_LEAF_SIGNATURE/,
		advice: /NODE_EXTRA_CA_CERTS/,
	},
	{
		title: 'a certificate of an authority that is not trusted, sent along',
		server: async () => {
			const { cert, ...more } = await certificate({});
			return await secure({ ...more, cert: `${cert}\n${authority.cert}` });
		},
		reason: 'this n8n does not trust its certificate',
		code: /SELF_SIGNED_CERT_IN_CHAIN/,
		advice: /NODE_EXTRA_CA_CERTS/,
	},
	{
		title: 'a certificate for another host',
		trusted: true,
		server: async () => await secure(await certificate({ host: 'api.example.com' })),
		reason: 'its certificate is for another host',
		code: /ERR_TLS_CERT_ALTNAME_INVALID/,
		advice: /host name that the certificate is for/,
	},
	{
		title: 'a certificate that has expired',
		trusted: true,
		server: async () => await secure(await certificate({ from: -30, to: -1 })),
		reason: 'its certificate has expired',
		code: /CERT_HAS_EXPIRED/,
		advice: /Renew the certificate/,
	},
	{
		title: 'a certificate of tomorrow',
		trusted: true,
		server: async () => await secure(await certificate({ from: 1, to: 30 })),
		reason: 'its certificate is not valid yet',
		code: /CERT_NOT_YET_VALID/,
		advice: /Set the clock/,
	},
	{
		title: 'plain HTTP behind https://',
		server: async () => createPlain((_, response) => void response.end('{}')),
		reason: 'what answers there does not use HTTPS',
		code: /EPROTO|ERR_SSL_\w+/,
		advice: /starts with http:\/\//,
	},
	{
		title: 'something else behind http://',
		scheme: 'http',
		server: async () => {
			return createSocketServer(
				(socket) => void socket.resume().end('220 mail.example.com ESMTP\r\n'),
			);
		},
		reason: 'what answers there does not use HTTP',
		code: /HPE_\w+/,
		advice: /starts with https:\/\//,
	},
];

let authority: GenerateResult;
let sandbox: Sandbox;
beforeAll(async () => {
	authority = await generate([{ name: 'commonName', value: 'Authority of this test' }], {
		keyType: 'ec',
		algorithm: 'sha256',
		extensions: [
			{ name: 'basicConstraints', cA: true, critical: true },
			{ name: 'keyUsage', keyCertSign: true, critical: true },
		],
	});
});
useSandbox((started) => (sandbox = started));
afterEach(() => void jest.restoreAllMocks());

/** A certificate for a host, from so many days from now to so many. */
async function certificate({ host = 'localhost', by = 'authority', from = -1, to = 30 }) {
	const { cert, private: key } = await generate([{ name: 'commonName', value: host }], {
		keyType: 'ec',
		algorithm: 'sha256',
		notBeforeDate: new Date(Date.now() + from * DAY_MS),
		notAfterDate: new Date(Date.now() + to * DAY_MS),
		extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: host }] }],
		...(by === 'itself' ? {} : { ca: { key: authority.private, cert: authority.cert } }),
	});
	return { cert, key };
}

async function secure(options: ServerOptions): Promise<Server> {
	return createServer(options, (_, response) => void response.end('{}'));
}

/** As NODE_EXTRA_CA_CERTS does, which Node.js reads when it starts. */
function trustAuthority(): void {
	const create = tls.createSecureContext;
	jest
		.spyOn(tls, 'createSecureContext')
		.mockImplementation((options) =>
			create({ ...options, ca: [...tls.rootCertificates, authority.cert] }),
		);
}

/** The messages of a publish and of the credential test for a server. */
async function saidOf({ server: open, scheme = 'https', trusted }: Row) {
	const server = await open();
	await new Promise<void>((resolve) => server.listen(0, resolve));
	const baseUrl = `${scheme}://localhost:${(server.address() as AddressInfo).port}`;
	if (trusted === true) trustAuthority();
	const host = new ContextHost(selfRegistering(misarMail, sandbox, { credential: { baseUrl } }));
	try {
		const published: unknown = await host.publish().catch((error: unknown) => error);
		const { message: tested } = await testCredential(misarMail, { baseUrl, apiKey: 'msk_key' });
		return { published, tested };
	} finally {
		await host.close();
		await new Promise((resolve) => server.close(resolve));
	}
}

describe('a publish and a test of the credential', () => {
	it.each(rows)('name $title', async (row) => {
		const { published, tested } = await saidOf(row);
		if (!(published instanceof NodeApiError)) throw new Error(`It ended with ${String(published)}`);
		const { message, description } = published;
		expect(message).toContain(`Misar Mail could not be reached (${row.reason}: `);
		expect(message).toMatch(row.code);
		expect(description).toMatch(row.advice);
		expect(tested).toContain(`Misar API could not be reached (${row.reason}: `);
		expect(tested).toMatch(row.code);
		expect(tested).toMatch(row.advice);
	});

	it('do not complain of a certificate that is trusted', async () => {
		const server = async () => await secure(await certificate({}));
		const nothing = { reason: '', code: /^/, advice: /^/ };
		const { published, tested } = await saidOf({ title: '', server, trusted: true, ...nothing });
		// It is reached, and answers with something else than a list of endpoints.
		expect(String(published)).toContain('answered with something that is not');
		expect(tested).toBe('Connection successful!');
	});
});
