import { randomBytes } from 'node:crypto';
import { startSandbox, type Sandbox } from '../../sandbox';
import { startN8n, type N8nHost } from '../n8n-host/driver';
import { startHelper, type N8nHelper } from '../n8n-host/helper';
import { Balancer } from './balancer';
import { environmentOf } from './compose';
import { startServices, type Services } from './services';

const DOMAIN = 'n8n.example.com';

/** Where n8n tells providers to deliver. */
export const ORIGIN = `https://${DOMAIN}`;

/** Queue mode as deploy/docker-compose.yml sets it up, with the sandbox in place of the providers. */
export interface Cluster {
	services: Services;
	sandbox: Sandbox;
	main: N8nHost;
	/** Two webhook processors, behind {@link balancer}. */
	processors: N8nHelper[];
	balancer: Balancer;
	/**
	 * Starts two workers.
	 *
	 * @param env - settings that differ from the compose file's
	 */
	startWorkers(env?: Record<string, string>): Promise<N8nHelper[]>;
	/** Ends everything, whatever was killed before. */
	stop(): Promise<void>;
}

/**
 * Starts the servers, the main process and the two webhook processors, with the environment
 * variables of the compose file; only addresses and secrets are this machine's own.
 */
export async function startCluster(): Promise<Cluster> {
	const tarball = process.env['PACKAGE_TARBALL'];
	if (tarball === undefined) throw new Error('PACKAGE_TARBALL is not set: run npm run test:queue');
	const running: Array<() => Promise<unknown>> = [];
	const stop = async () => {
		for (const end of running.splice(0).reverse()) await end();
	};
	try {
		const services = await startServices();
		running.push(async () => await services.stop());
		const sandbox = await startSandbox();
		running.push(async () => await sandbox.close());

		const values = {
			N8N_ENCRYPTION_KEY: randomBytes(24).toString('hex'),
			N8N_DOMAIN: DOMAIN,
			POSTGRES_PASSWORD: 'not asked for',
		};
		const envOf = (service: string) => ({ ...environmentOf(service, values), ...services.env });
		const start = async (role: 'webhook' | 'worker', service: string, env = {}) => {
			const helper = await startHelper(role, { tarball, env: { ...envOf(service), ...env } });
			running.push(async () => await helper.stop());
			return helper;
		};

		const main = await startN8n({ tarball, env: envOf('n8n') });
		running.push(async () => await main.stop());
		const processors = await Promise.all([
			start('webhook', 'n8n-webhook-1'),
			start('webhook', 'n8n-webhook-2'),
		]);
		const balancer = new Balancer(processors.map(({ url }) => url));
		sandbox.setRoute(ORIGIN, await balancer.start());
		running.push(async () => await balancer.stop());
		return {
			services,
			sandbox,
			main,
			processors,
			balancer,
			startWorkers: async (env) =>
				await Promise.all([
					start('worker', 'n8n-worker-1', env),
					start('worker', 'n8n-worker-2', env),
				]),
			stop,
		};
	} catch (error) {
		await stop();
		throw error;
	}
}
