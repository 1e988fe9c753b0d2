import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

import express from 'express';
import { z } from 'zod';

const hookSchema = z.object({
	config: z.object({ url: z.string(), secret: z.string() }),
	events: z.array(z.string()),
});

/** As much of GitHub's API as n8n's GitHub Trigger calls to register its webhook. */
export interface GithubStandIn {
	readonly url: string;
	/** The secret of the hook that was registered last. */
	secret(): string;
	close(): Promise<void>;
}

export async function startGithubStandIn(): Promise<GithubStandIn> {
	let secret = '';
	const app = express();
	app.post('/repos/:owner/:repository/hooks', express.json(), (request, response) => {
		const { config, events } = hookSchema.parse(request.body);
		secret = config.secret;
		response.status(201).json({ id: 1, active: true, events, config: { url: config.url } });
	});
	app.all('/repos/:owner/:repository/hooks/1', (_request, response) => {
		response.json({ id: 1, active: true });
	});
	const server = createServer(app).listen(0, '127.0.0.1');
	await once(server, 'listening');
	return {
		url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		secret: () => secret,
		close: async () => {
			server.closeAllConnections();
			server.close();
			await once(server, 'close');
		},
	};
}
