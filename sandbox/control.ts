import express, { type RequestHandler, type Response, Router } from 'express';
import type { z } from 'zod';
import {
	addBody,
	behaviourBody,
	changeBody,
	endpointPath,
	faultBody,
	fireBody,
	keyPath,
	limitBody,
	providerQuery,
	routesBody,
	sampleQuery,
	toFault,
} from './controlSchemas';
import { localNamesOnly } from './guard';
import { catalogue } from './catalogue';
import { sampleOf } from './page/catalogue';
import { FireAnswer } from './fireNews';
import type { Feed } from './page/feed';
import type { Sandbox } from './types';
import { fieldIssues } from './validation';

export type Controlled = Omit<Sandbox, 'url' | 'pageUrl' | 'close'>;

/**
 * The sandbox's switches over HTTP, under `/_control`, JSON in and out: GET keys, requests, deliveries,
 * endpoints, catalogue, sample, log, stream (server-sent events); POST endpoints, PATCH and DELETE
 * endpoints/:provider/:id; POST endpoints/:provider/:id/secret and keys/:provider issue new ones; POST and
 * DELETE fire, faults; POST behaviour, limits, routes, reset, expire-sessions. `POST fire/tries` fires as well,
 * and answers with a line of JSON (`FireNews`) for each thing that happens. Input that it cannot use is answered
 * with 400 and the reasons.
 */
export function controlRouter(sandbox: Controlled, feed: Feed): RequestHandler {
	const router = Router();
	router.use(localNamesOnly, express.json({ limit: '1mb' }));

	const read = (path: string, value: () => unknown) =>
		router.get(path, (_, response) => void response.json(value()));
	read('/keys', () => ({
		keys: sandbox.keys,
		limitedKeys: sandbox.limitedKeys,
		login: sandbox.login,
	}));
	read('/requests', () => sandbox.requests());
	read('/deliveries', () => sandbox.deliveries());
	read('/log', () => feed.state());
	read('/catalogue', () => catalogue);
	router.get('/stream', feed.connect);

	router.get('/sample', async (request, response) => {
		await withInput(response, sampleQuery, request.query, sampleOf);
	});

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
	command('post', '/endpoints/:provider/:id/secret', endpointPath, ({ provider, id }) => ({
		secret: sandbox.rotateSecret(provider, id),
	}));
	command('post', '/keys/:provider', keyPath, ({ provider }) => ({
		key: sandbox.replaceKey(provider),
	}));
	command('post', '/fire', fireBody, async ({ times = 1, perSecond = 10, wait, ...input }) => {
		const { receivers, ended } = sandbox.fireRepeatedly(input, { times, perSecond });
		return wait === false ? { receivers } : await ended;
	});
	router.post('/fire/tries', async (request, response) => {
		const answer = new FireAnswer(response);
		await withInput(
			response,
			fireBody,
			request.body,
			({ times = 1, perSecond = 10, ...input }) =>
				sandbox.fireRepeatedly(input, { times, perSecond }, (tried) => answer.tell({ tried })),
			async (fire) => await answer.follow(fire),
		);
	});
	command('post', '/faults', faultBody, (input) => sandbox.fault(toFault(input)));
	command('post', '/behaviour', behaviourBody, ({ provider, behaviour }) =>
		sandbox.setBehaviour(provider, behaviour),
	);
	command('post', '/limits', limitBody, ({ provider, limit }) =>
		sandbox.setEndpointLimit(provider, limit ?? undefined),
	);
	command('post', '/routes', routesBody, ({ from, to }) => sandbox.setRoute(from, to));

	router.delete('/fire', (_, response) => {
		sandbox.stopFiring();
		response.json({ ok: true });
	});
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

async function withInput<T, R>(
	response: Response,
	schema: z.ZodType<T, z.ZodTypeDef, unknown>,
	input: unknown,
	run: (input: T) => R,
	answer: (result: Awaited<R>) => unknown = (result) => response.json(result ?? { ok: true }),
): Promise<void> {
	const parsed = schema.safeParse(input);
	if (!parsed.success) {
		response.status(400).json({ error: 'invalid input', issues: fieldIssues(parsed.error) });
		return;
	}
	try {
		await answer(await run(parsed.data));
	} catch (error) {
		response.status(400).json({ error: error instanceof Error ? error.message : String(error) });
	}
}

/** Express recognises an error handler by its four parameters. */
const refuseBrokenJson: express.ErrorRequestHandler = (error, _request, response, next) => {
	if (error instanceof SyntaxError) response.status(400).json({ error: error.message });
	else next(error);
};
