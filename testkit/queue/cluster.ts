import { randomBytes } from 'node:crypto';
import { startSandbox, type Sandbox } from '../../sandbox';
import { startN8n, type N8nHost } from '../n8n-host/driver';
import { startHelper, type N8nHelper } from '../n8n-host/helper';
import { packedPackage } from '../n8n-host/packedPackage';
import { Balancer } from './balancer';
import { environmentOf } from './compose';
import { startServices, type Services } from './services';

const DOMAIN = 'n8n.example.com';

/** The address that n8n registers at providers. */
export const ORIGIN = `https://${DOMAIN}`;

/** Queue mode, or a main process alone (with the same database), to compare with. */
export type Shape = 'queue' | 'regular';

/** Queue mode as deploy/docker-compose.yml sets it up, with the sandbox in place of the providers. */
export interface Cluster {
	services: Services;
	sandbox: Sandbox;
	main: N8nHost;
	/** Two webhook processors, behind {@link balancer}; none of either in the shape `regular`. */
	processors: N8nHelper[];
	balancer: Balancer;
	/** The local origin that takes deliveries. */
	entrance: string;
	/**
	 * Starts two workers.
	 *
	 * @param env - settings that differ from the compose file's
	 */
	startWorkers(env?: Record<string, string>): Promise<N8nHelper[]>;
	/** Ends everything that is still running. */
	stop(): Promise<void>;
}

/**
 * Starts the servers, the main process and the two webhook processors, with the environment
 * variables of the compose file; only addresses and secrets are this machine's own.
 *
 * @param env - settings of all processes that differ from the compose file's
 */
export async function startCluster(
	shape: Shape = 'queue',
	env: Record<string, string> = {},
): Promise<Cluster> {
	const tarball = packedPackage();
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
		const envOf = (service: string) => ({
			...environmentOf(service, values),
			...services.env,
			...env,
		});
		const start = async (role: 'webhook' | 'worker', service: string, more = {}) => {
			const helper = await startHelper(role, { tarball, env: { ...envOf(service), ...more } });
			running.push(async () => await helper.stop());
			return helper;
		};

		const alone = { EXECUTIONS_MODE: 'regular', N8N_DISABLE_PRODUCTION_MAIN_PROCESS: 'false' };
		const main = await startN8n({
			tarball,
			fresh: true,
			env: { ...envOf('n8n'), ...(shape === 'regular' && alone) },
		});
		running.push(async () => await main.stop());
		const names = shape === 'queue' ? ['n8n-webhook-1', 'n8n-webhook-2'] : [];
		const processors = await Promise.all(names.map(async (name) => await start('webhook', name)));
		const balancer = new Balancer(processors.map(({ url }) => url));
		const entrance = shape === 'queue' ? await balancer.start() : main.url;
		if (shape === 'queue') running.push(async () => await balancer.stop());
		sandbox.setRoute(ORIGIN, entrance);
		return {
			services,
			sandbox,
			main,
			processors,
			balancer,
			entrance,
			startWorkers: async (more) =>
				await Promise.all([
					start('worker', 'n8n-worker-1', more),
					start('worker', 'n8n-worker-2', more),
				]),
			stop,
		};
	} catch (error) {
		await stop();
		throw error;
	}
}
