import { startSandbox, type Sandbox } from '../../sandbox';
import { startN8n, type N8nHost } from '../../testkit/n8n-host/driver';
import { packedPackage } from '../../testkit/n8n-host/packedPackage';
import { ORIGIN } from '../../testkit/publishTrigger';

/**
 * n8n's expression engine without an isolate for each webhook call and each run, which takes most of
 * n8n's time otherwise and has no part in what is tested.
 */
export const FAST_EXPRESSIONS = { N8N_EXPRESSION_ENGINE: 'legacy' };

/** A real n8n with the packed package, and the sandbox that delivers to it. */
export interface LoadBed {
	readonly n8n: N8nHost;
	readonly sandbox: Sandbox;
}

export interface BedOptions {
	/** Factor from the provider's retry intervals to real ones, see `SandboxOptions`. */
	readonly retryTimeScale?: number;
	/** Extra environment variables for n8n. */
	readonly env?: Record<string, string>;
}

/** Runs a test between a fresh n8n and a fresh sandbox, and ends both whatever happens. */
export async function withBed(
	{ retryTimeScale, env }: BedOptions,
	test: (bed: LoadBed) => Promise<void>,
): Promise<void> {
	const tarball = packedPackage();
	const sandbox = await startSandbox(retryTimeScale === undefined ? {} : { retryTimeScale });
	try {
		const n8n = await startN8n({ tarball, webhookUrl: ORIGIN, ...(env && { env }) });
		try {
			sandbox.setRoute(ORIGIN, n8n.url);
			await test({ n8n, sandbox });
		} finally {
			await n8n.stop();
		}
	} finally {
		await sandbox.close();
	}
}
