import { Readable } from 'node:stream';

import { jest } from '@jest/globals';
import axios, { type AxiosAdapter } from 'axios';

import type { Sandbox } from '../../sandbox';

/**
 * Until Jest restores its mocks, n8n's HTTP client reaches a sandbox without a network. For tests with
 * thousands of calls that are about their answers, not about connections.
 */
export function reachWithoutNetwork(sandbox: Sandbox): void {
	const network = axios.getAdapter(axios.defaults.adapter);
	const adapter: AxiosAdapter = async (config) => {
		const url = new URL(axios.getUri(config));
		if (url.origin !== sandbox.url) return await network(config);
		const data: unknown = config.data;
		const { status, headers, text } = await sandbox.call({
			method: (config.method ?? 'get').toUpperCase(),
			path: `${url.pathname}${url.search}`,
			headers: Object.fromEntries(
				Object.entries(config.headers.toJSON(true)).map(([name, value]) => [
					name.toLowerCase(),
					String(value),
				]),
			),
			text: typeof data === 'string' ? data : '',
		});
		if (config.validateStatus?.(status) === false) throw new Error(`status ${status} is no answer`);
		const body = text === undefined ? [] : [Buffer.from(text)];
		return { status, statusText: '', headers, config, data: Readable.from(body) };
	};
	jest.replaceProperty(axios.defaults, 'adapter', adapter);
}
