import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';
import type { InstalledHost } from './install.mjs';

const installed = z.object({
	dir: z.string(),
	nodeBinary: z.string(),
	n8nBin: z.string(),
	version: z.string(),
});

/** Which of the pinned n8ns: that of package.json, or the oldest that the package supports. */
export type Pin = 'newest' | '1.x';

const found = new Map<Pin | undefined, Promise<InstalledHost>>();

/**
 * The pinned n8n, installed first when it is missing. Asked of install.mjs as a program of its own,
 * because jest's module loader cannot import an ES module.
 *
 * @param pin - default: what `N8N_HOST_PIN` names, else the newest
 * @throws Error when the install fails; its messages are on standard error
 */
export async function locateN8n(pin?: Pin): Promise<InstalledHost> {
	const installed = found.get(pin) ?? askInstaller(pin);
	found.set(pin, installed);
	return await installed;
}

async function askInstaller(pin: Pin | undefined): Promise<InstalledHost> {
	const named = pin === undefined ? {} : { N8N_HOST_PIN: pin === 'newest' ? '' : pin };
	const child = spawn(process.execPath, [join(__dirname, 'install.mjs')], {
		// Jest gives each project's tests an environment of their own, which is not passed on automatically.
		env: { ...process.env, ...named },
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	let output = '';
	child.stdout.on('data', (chunk: Buffer) => {
		output += chunk.toString();
	});
	const [code]: unknown[] = await once(child, 'close');
	if (code !== 0) throw new Error('The pinned n8n could not be installed (see above)');
	return installed.parse(JSON.parse(output));
}
