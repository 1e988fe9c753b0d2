import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const FILE = join(__dirname, '..', '..', 'deploy', 'docker-compose.yml');

const serviceSchema = z
	.object({
		image: z.string(),
		command: z.union([z.string(), z.array(z.string())]).optional(),
		environment: z.record(z.string()).default({}),
		volumes: z.array(z.string()).default([]),
		depends_on: z.record(z.object({ condition: z.string() })).default({}),
		healthcheck: z
			.object({ test: z.array(z.string()).nonempty() })
			.passthrough()
			.optional(),
		restart: z.string().optional(),
		stop_grace_period: z.string().optional(),
	})
	.passthrough();

const composeSchema = z.object({
	services: z.record(serviceSchema),
	configs: z.object({ caddyfile: z.object({ content: z.string() }) }),
	volumes: z.record(z.null()),
});

/** What users start; see {@link readCompose}. */
export type Compose = z.output<typeof composeSchema>;

/** Reads deploy/docker-compose.yml with its anchors and merges resolved, and `${…}` as it is. */
export function readCompose(): Compose {
	return composeSchema.parse(parse(readFileSync(FILE, 'utf8'), { merge: true }));
}

/** The Caddyfile in it, as Docker Compose writes it. */
export function readCaddyfile(): string {
	return readCompose().configs.caddyfile.content.replaceAll('$$', () => '$');
}

/**
 * The environment variables that the file gives to a service.
 *
 * @param values - what a user would write to `.env`
 * @throws Error when the file asks for a value that is not given
 */
export function environmentOf(
	service: string,
	values: Record<string, string>,
): Record<string, string> {
	const { environment = {} } = readCompose().services[service] ?? {};
	const fill = (text: string) =>
		text.replace(/\$\{(\w+):\?[^}]*\}/g, (_all, name: string) => {
			const value = values[name];
			if (value === undefined) throw new Error(`deploy/docker-compose.yml asks for ${name}`);
			return value;
		});
	return Object.fromEntries(
		Object.entries(environment).map(([name, value]) => [name, fill(value)]),
	);
}
