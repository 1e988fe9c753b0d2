import { z } from 'zod';

/** The same as in n8n-node's templates. */
export const SCRIPTS = {
	build: 'n8n-node build',
	dev: 'n8n-node dev',
	lint: 'n8n-node lint',
	'lint:fix': 'n8n-node lint --fix',
	release: 'n8n-node release',
	prepublishOnly: 'n8n-node prerelease',
};

/** What the repository of a single service is built and linted with. */
const TOOLS = [
	'@n8n/node-cli',
	'@types/node',
	// A peer of n8n's rule sets: .npmrc has npm install none by itself, because others are heavy.
	'@typescript-eslint/parser',
	'eslint',
	'n8n-workflow',
	'prettier',
	'typescript',
	'zod',
];

const lockSchema = z.object({
	packages: z.record(z.object({ version: z.string().optional() })),
});

/**
 * Adds scripts and development dependencies to the manifest of a single service.
 *
 * @param lock - the lock file of this repository, whose versions they get
 */
export function withTools(manifest: object, lock: unknown): object {
	const { packages } = lockSchema.parse(lock);
	const tools = TOOLS.map((name) => [name, packages[`node_modules/${name}`]?.version]);
	return { ...manifest, scripts: SCRIPTS, devDependencies: Object.fromEntries(tools) };
}
