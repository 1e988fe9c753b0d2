import express, { type RequestHandler, type Response, Router } from 'express';
import type { z } from 'zod';
import {
	addBody,
	behaviourBody,
	changeBody,
	faultBody,
	fireBody,
	limitBody,
	providerQuery,
	routesBody,
	toFault,
} from './controlSchemas';
import type { Sandbox } from './types';
import { fieldIssues } from './validation';

type Controlled = Omit<Sandbox, 'url' | 'close'>;

/** Names that a browser page from elsewhere cannot have in its Host header. */
const LOCAL_HOSTS = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * The stand-in's switches over HTTP, under `/_control`, JSON in and out: GET keys, requests, deliveries,
 * endpoints; POST endpoints, PATCH and DELETE endpoints/:provider/:id; POST fire, behaviour, limits,
 * routes, reset, expire-sessions; POST and DELETE faults. 400 with reasons for input it cannot use.
 */
export function controlRouter(sandbox: Controlled): RequestHandler {
	const router = Router();
	router.use((request, response, next) => {
		if (LOCAL_HOSTS.has(request.hostname)) next();
		else response.status(403).json({ error: 'only for this machine' });
	});
	router.use(express.json({ limit: '1mb' }));

	const read = (path: string, value: () => unknown) =>
		router.get(path, (_, response) => void response.json(value()));
	read('/keys', () => ({
		keys: sandbox.keys,
		limitedKeys: sandbox.limitedKeys,
		login: sandbox.login,
	}));
	read('/requests', () => sandbox.requests());
	read('/deliveries', () => sandbox.deliveries());

	router.get('/endpoints', async (request, response) => {
		await withInput(response, providerQuery, request.query, ({ provider }) =>
			sandbox.endpoints(provider),
		);
	});

	/** A command: the body is checked, the answer is what `run` returns, or `{ok:true}`. */
	function command<T>(
		method: 'post' | 'patch' | 'delete',
		path: string,
		schema: z.ZodType<T, z.ZodTypeDef, unknown>,
		run: (input: T) => unknown,
	): void {
		router[method](path, async (request, response) => {
			const body: unknown = request.body;
			const input = typeof body === 'object' && body !== null ? body : {};
			await withInput(response, schema, { ...input, ...request.params }, run);
		});
	}

	command('post', '/endpoints', addBody, ({ provider, ...input }) =>
		sandbox.addEndpoint(provider, input),
	);
	command('patch', '/endpoints/:provider/:id', changeBody, ({ provider, id, ...change }) =>
		sandbox.changeEndpoint(provider, id, change),
	);
	command('delete', '/endpoints/:provider/:id', changeBody, ({ provider, id }) =>
		sandbox.removeEndpoint(provider, id),
	);
	command('post', '/fire', fireBody, async (input) => await sandbox.fire(input));
	command('post', '/faults', faultBody, (input) => sandbox.fault(toFault(input)));
	command('post', '/behaviour', behaviourBody, ({ provider, behaviour }) =>
		sandbox.setBehaviour(provider, behaviour),
	);
	command('post', '/limits', limitBody, ({ provider, limit }) =>
		sandbox.setEndpointLimit(provider, limit ?? undefined),
	);
	command('post', '/routes', routesBody, ({ from, to }) => sandbox.setRoute(from, to));

	router.delete('/faults', (_, response) => {
		sandbox.clearFaults();
		response.json({ ok: true });
	});
	router.post('/expire-sessions', (_, response) => {
		sandbox.expireSessions();
		response.json({ ok: true });
	});
	router.post('/reset', (_, response) => {
		sandbox.reset();
		response.json({ ok: true });
	});
	router.use((_, response) => void response.status(404).json({ error: 'no such control' }));
	router.use(refuseBrokenJson);
	return router;
}

async function withInput<T>(
	response: Response,
	schema: z.ZodType<T, z.ZodTypeDef, unknown>,
	input: unknown,
	run: (input: T) => unknown,
): Promise<void> {
	const parsed = schema.safeParse(input);
	if (!parsed.success) {
		response.status(400).json({ error: 'invalid input', issues: fieldIssues(parsed.error) });
		return;
	}
	try {
		response.json((await run(parsed.data)) ?? { ok: true });
	} catch (error) {
		response.status(400).json({ error: error instanceof Error ? error.message : String(error) });
	}
}

/** Express tells an error handler by its four parameters. */
const refuseBrokenJson: express.ErrorRequestHandler = (error, _request, response, next) => {
	if (error instanceof SyntaxError) response.status(400).json({ error: error.message });
	else next(error);
};
