import { startSandbox, type Sandbox } from '../../sandbox';
import { startN8n, type N8nHost, type N8nHostOptions } from '../../testkit/n8n-host/driver';
import { packedPackage } from '../../testkit/n8n-host/packedPackage';
import { ORIGIN } from '../../testkit/publishTrigger';

/** A real n8n with the packed package, and the sandbox that delivers to it. */
export interface LoadBed {
	readonly n8n: N8nHost;
	readonly sandbox: Sandbox;
}

/** What n8n is started with, and how the sandbox delivers. */
export interface BedOptions extends Pick<N8nHostOptions, 'env' | 'publicationService'> {
	/** Factor from the provider's retry intervals to real ones, see `SandboxOptions`. */
	readonly retryTimeScale?: number;
}

/** Runs a test between a fresh n8n and a fresh sandbox, and ends both whatever happens. */
export async function withBed(
	{ retryTimeScale, ...n8nOptions }: BedOptions,
	test: (bed: LoadBed) => Promise<void>,
): Promise<void> {
	const tarball = packedPackage();
	const sandbox = await startSandbox(retryTimeScale === undefined ? {} : { retryTimeScale });
	try {
		const n8n = await startN8n({ tarball, webhookUrl: ORIGIN, ...n8nOptions });
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
