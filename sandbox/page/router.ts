import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { transformFileSync, type Options } from '@swc/core';
import { Router, type RequestHandler } from 'express';
import { localNamesOnly } from '../guard';

const CLIENT = join(__dirname, 'client');

/** The npm modules that the page imports, by their import names. */
const LIBRARIES = ['preact', 'preact/hooks', 'preact/jsx-runtime'] as const;

const toJavaScript: Options = {
	swcrc: false,
	jsc: {
		parser: { syntax: 'typescript', tsx: true },
		transform: { react: { runtime: 'automatic', importSource: 'preact' } },
		target: 'es2022',
	},
};

const libraryPath = (name: string) => `/_page/library/${name}.js`;

const importMap = JSON.stringify({
	imports: Object.fromEntries(LIBRARIES.map((name) => [name, libraryPath(name)])),
});

/** In the page's HTML. */
const EMPTY_MAP = '<script type="importmap"></script>';

/** Nothing comes from another host, and no other page may show this one in a frame. */
const CONTENT_SECURITY_POLICY = [
	"default-src 'none'",
	"connect-src 'self'",
	"img-src 'self' data:",
	"style-src 'self'",
	`script-src 'self' 'sha256-${createHash('sha256').update(importMap).digest('base64')}'`,
	"base-uri 'none'",
	"form-action 'none'",
	"frame-ancestors 'none'",
].join('; ');

/**
 * The page under `/_page`: its modules are compiled one by one when they are asked for, and its libraries
 * come from node_modules as they are.
 */
export function pageRouter(): RequestHandler {
	const router = Router();
	router.use(localNamesOnly, (_, response, next) => {
		response.set({
			'Content-Security-Policy': CONTENT_SECURITY_POLICY,
			'X-Content-Type-Options': 'nosniff',
			'Referrer-Policy': 'no-referrer',
			'Cache-Control': 'no-cache',
		});
		next();
	});
	router.get('/', (_, response) => {
		const html = readFileSync(join(CLIENT, 'index.html'), 'utf8');
		response.type('html').send(html.replace(EMPTY_MAP, EMPTY_MAP.replace('><', `>${importMap}<`)));
	});
	router.get('/page.css', (_, response) => {
		response.type('css').send(readFileSync(join(CLIENT, 'page.css'), 'utf8'));
	});
	for (const name of LIBRARIES) {
		const file = require.resolve(name);
		router.get(libraryPath(name).replace('/_page', ''), (_, response) => {
			response.type('js').send(readFileSync(file, 'utf8'));
		});
	}
	router.get('/:module.js', (request, response, next) => {
		const { module } = request.params;
		const source = /^\w+$/.test(module)
			? ['ts', 'tsx']
					.map((extension) => join(CLIENT, `${module}.${extension}`))
					.find((file) => existsSync(file))
			: undefined;
		if (source === undefined) next();
		else response.type('js').send(transformFileSync(source, toJavaScript).code);
	});
	router.use((_, response) => void response.status(404).json({ error: 'no such file' }));
	return router;
}
